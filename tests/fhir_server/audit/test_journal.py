"""The journal: nothing that was written is lost, whoever dies; nothing is done that cannot be written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_server.audit.journal import Journal, JournalError, check_folder
from fhir_server.audit.tails import Tail, journal_files, remove_unfinished

WRITER = """
import itertools, sys
from pathlib import Path
from fhir_server.audit.journal import Journal
journal = Journal(Path(sys.argv[1]), lambda: "of-the-child")
for number in itertools.count():
    journal.append(b"line %d\\n" % number)
    print(number, flush=True)
"""

FILLED_UP = """
import resource, sys
from pathlib import Path
from fhir_server.audit.journal import Journal, JournalError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
journal = Journal(Path(sys.argv[1]), lambda: "of-the-child")
written = 0
try:
    while True:
        journal.append(b"x" * 299 + b"\\n")
        written += 1
except JournalError:
    print(written)
"""


def texts_of(folder: Path) -> list[bytes]:
    """All whole lines, in the order of their files."""
    return [text for path in journal_files(folder) for text in all_of(Tail(path))]


def all_of(tail: Tail) -> list[bytes]:
    texts: list[bytes] = []
    while lines := tail.read(1000):
        texts += [line.text for line in lines]
    return texts


def test_lines_of_many_threads_are_all_there_and_none_is_mixed_up(journal: Journal, folder: Path) -> None:
    def write(number: int) -> None:
        for count in range(200):
            journal.append(b"%d-%d-" % (number, count) + b"x" * 500 + b"\n")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {b"%d-%d-" % (number, count) + b"x" * 500 for number in range(8) for count in range(200)}
    found = texts_of(folder)
    assert len(found) == len(expected)
    assert set(found) == expected


def test_what_was_written_outlives_a_process_that_is_killed(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(300)]
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout.read().split(b"\n")[:-1]]
    (path,) = journal_files(folder)
    tail = Tail(path)
    assert tail.is_complete()
    assert all_of(tail)[: len(acknowledged)] == [b"line %d" % n for n in acknowledged]


def test_a_file_is_not_complete_as_long_as_its_process_may_write(journal: Journal, folder: Path) -> None:
    journal.append(b"one\n")
    (path,) = journal_files(folder)
    assert not Tail(path).is_complete()


def test_lines_are_read_once_and_only_when_they_are_whole(folder: Path) -> None:
    folder.mkdir()
    path = folder / "a.journal"
    path.write_bytes(b"one\ntwo\nhal")
    tail = Tail(path)
    assert [(line.offset, line.text) for line in tail.read(1)] == [(0, b"one")]
    assert [(line.offset, line.text) for line in tail.read(9)] == [(4, b"two")]
    assert tail.read(9) == []
    with path.open("ab") as file:
        file.write(b"f\n")
    assert [(line.offset, line.text) for line in tail.read(9)] == [(8, b"half")]


def test_a_line_longer_than_what_is_read_at_once_is_read_whole(folder: Path) -> None:
    folder.mkdir()
    long = b"x" * 3_000_000
    (folder / "a.journal").write_bytes(b"short\n" + long + b"\nend\n")
    tail = Tail(folder / "a.journal")
    assert all_of(tail) == [b"short", long, b"end"]


def test_reading_goes_on_where_taking_was_noted_and_from_the_start_where_the_note_is_damaged(folder: Path) -> None:
    folder.mkdir()
    path = folder / "a.journal"
    path.write_bytes(b"one\ntwo\n")
    Tail(path).note_taken(4)
    assert [line.text for line in Tail(path).read(9)] == [b"two"]
    for damaged in ("", "x", "99", "-1"):
        path.with_suffix(".taken").write_text(damaged)
        assert [line.text for line in Tail(path).read(9)] == [b"one", b"two"]


def test_a_half_line_at_the_end_is_kept_aside_when_the_file_is_removed(folder: Path) -> None:
    folder.mkdir()
    path = folder / "a.journal"
    path.write_bytes(b"one\nhal")
    tail = Tail(path)
    tail.read(9)
    tail.note_taken(tail.position)
    tail.remove()
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == {"a.damaged": b"hal\n"}


def test_a_long_file_is_followed_by_another_and_closed_once_nothing_is_open_in_it(
    folder: Path, new_name: Callable[[], str]
) -> None:
    journal = Journal(folder, new_name, rotated_at=100)
    segment, key = journal.begin(lambda key: b"begin %d\n" % key)
    journal.append(b"x" * 100 + b"\n")
    journal.append(b"later\n")
    first, second = (Tail(path) for path in journal_files(folder))
    journal.tend()
    assert not first.is_complete()
    journal.finish(segment, b"end %d\n" % key)
    journal.tend()
    assert first.is_complete()
    assert [line.text for line in first.read(9)] == [b"begin 1", b"x" * 100, b"end 1"]
    assert [line.text for line in second.read(9)] == [b"later"]
    assert not second.is_complete()


def test_a_line_that_does_not_fit_on_the_disk_is_refused_and_leaves_nothing_behind(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FILLED_UP, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"
    assert "audit journal failed" in done.stderr
    (path,) = journal_files(folder)
    assert path.read_bytes() == (b"x" * 299 + b"\n") * 3


def test_a_disk_that_is_nearly_full_refuses_with_503_until_there_is_room_again(
    folder: Path, new_name: Callable[[], str]
) -> None:
    journal = Journal(folder, new_name, least_free=1 << 62)
    with pytest.raises(JournalError) as refused:
        journal.append(b"one\n")
    assert refused.value.status == 503
    assert "Retry-After" in refused.value.headers
    assert texts_of(folder) == []


def test_a_file_that_somebody_removed_is_noticed_and_another_is_begun(journal: Journal, folder: Path) -> None:
    journal.append(b"one\n")
    (path,) = journal_files(folder)
    path.unlink()
    journal.tend()
    journal.append(b"two\n")
    assert texts_of(folder) == [b"two"]


def test_durable_lines_are_whole_and_the_folder_is_for_its_owner_only(journal: Journal, folder: Path) -> None:
    journal.append_durably(b"one\n")
    assert texts_of(folder) == [b"one"]
    (path,) = journal_files(folder)
    assert (folder.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)


def test_what_a_process_left_before_it_wrote_anything_is_removed_after_a_while(folder: Path) -> None:
    folder.mkdir()
    left = folder / "a.new"
    left.touch()
    remove_unfinished(folder, left.stat().st_mtime)
    assert left.exists()
    remove_unfinished(folder, left.stat().st_mtime + 1)
    assert not left.exists()


def test_a_folder_that_cannot_be_written_to_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="cannot be written to"):
        check_folder(tmp_path / "file" / "audit")
