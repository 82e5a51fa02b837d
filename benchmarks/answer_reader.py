"""Where an HTTP/1.1 answer ends: by its length, by its chunks, or with the connection.

https://www.rfc-editor.org/rfc/rfc9112#section-6.3
"""

from __future__ import annotations

WITHOUT_BODY = (204, 304)


class AnswerReader:
    """Takes the bytes of one answer as they come; `status` and `closes` are known once it is complete.

    It looks no further into an answer than it must, so that it costs the machine little.
    """

    def __init__(self) -> None:
        self.status = 0
        self.closes = False
        self._received = b""
        self._end: int | None = None
        self._chunk_at: int | None = None

    @property
    def is_empty(self) -> bool:
        return not self._received

    def feed(self, data: bytes) -> bool:
        """Take what came; whether the answer is complete."""
        self._received += data
        if not self.status:
            head_end = self._received.find(b"\r\n\r\n")
            if head_end < 0:
                return False
            self._read_head(head_end)
        if self._end is not None:
            return len(self._received) >= self._end
        return self._chunk_at is not None and self._chunks_are_complete(self._chunk_at)

    def end(self) -> bool:
        """The connection was closed; whether the answer is complete thereby."""
        self.closes = True
        return bool(self.status) and self._end is None and self._chunk_at is None

    def _read_head(self, head_end: int) -> None:
        head = self._received[:head_end].lower()
        self.status = int(head[9:12])
        self.closes = b"\r\nconnection: close" in head or head.startswith(b"http/1.0")
        at = head.find(b"\r\ncontent-length:")
        if self.status in WITHOUT_BODY:
            self._end = head_end + 4
        elif b"\r\ntransfer-encoding: chunked" in head or b"\r\ntransfer-encoding:chunked" in head:
            self._chunk_at = head_end + 4
        elif at >= 0:
            self._end = head_end + 4 + int(head[at + 17 :].split(b"\r\n", 1)[0])

    def _chunks_are_complete(self, at: int) -> bool:
        while (line_end := self._received.find(b"\r\n", at)) >= 0:
            size = int(self._received[at:line_end].split(b";")[0], 16)
            if not size:  # the last chunk; trailers may follow
                return self._received.find(b"\r\n\r\n", line_end) >= 0
            at = line_end + 2 + size + 2
            if at > len(self._received):
                return False
            self._chunk_at = at
        return False
