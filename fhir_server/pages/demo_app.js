// A SMART app in one file: discovery, authorization code with PKCE, and some searches.
// https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"use strict";

const { fhirBase, clientId, scope, home } = document.body.dataset;
const REMEMBERED = "demo-app";
const SECTIONS = [
  ["Problems", "Condition?clinical-status=active&_sort=-onset-date&_count=10", (r) => [words(r.code), r.onsetDateTime]],
  ["Prescriptions", "MedicationRequest?status=active&_sort=-authoredon&_count=10",
    (r) => [words(r.medicationCodeableConcept), r.dosageInstruction?.[0]?.text]],
  ["Allergies", "AllergyIntolerance?_count=10", (r) => [words(r.code), r.criticality && `criticality ${r.criticality}`]],
  ["Appointments", "Appointment?_sort=-date&_count=5", (r) => [r.description ?? words(r.serviceType?.[0]), moment(r.start), r.status]],
  ["Visits", "Encounter?_sort=-date&_count=5", (r) => [words(r.type?.[0]), moment(r.period?.start), r.status]],
];

const element = (id) => document.getElementById(id);
const words = (concept) => concept?.text ?? concept?.coding?.[0]?.display ?? concept?.coding?.[0]?.code;
const moment = (text) => text && new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const randomText = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function json(address, options) {
  const answer = await fetch(address, options);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error_description ?? body.issue?.[0]?.diagnostics ?? `The server said ${answer.status}.`);
  return body;
}

async function authorize(iss, launch) {
  const { authorization_endpoint: address } = await json(`${iss}/.well-known/smart-configuration`);
  const state = randomText();
  const verifier = randomText();
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  sessionStorage.setItem(REMEMBERED, JSON.stringify({ iss, state, verifier }));
  const request = {
    response_type: "code", client_id: clientId, redirect_uri: home, state, aud: iss,
    scope: launch ? scope.replace("launch/patient ", "") : scope.replace("launch ", ""),
    code_challenge: base64url(new Uint8Array(digest)), code_challenge_method: "S256",
    ...(launch && { launch }),
  };
  location.assign(`${address}?${new URLSearchParams(request)}`);
}

async function token(code, { iss, verifier }) {
  const { token_endpoint: address } = await json(`${iss}/.well-known/smart-configuration`);
  const form = { grant_type: "authorization_code", code, redirect_uri: home, client_id: clientId, code_verifier: verifier };
  return json(address, { method: "POST", body: new URLSearchParams(form) });
}

async function show({ access_token: bearer, patient, need_patient_banner: banner }) {
  const read = (path) => json(`${fhirBase}/${path}`, { headers: { Authorization: `Bearer ${bearer}`, Accept: "application/fhir+json" } });
  const record = await read(`Patient/${patient}`);
  const name = record.name?.[0];
  element("title").textContent = banner === false ? "Chart at a glance" : name?.text ?? [...(name?.given ?? []), name?.family].join(" ");
  element("lead").textContent = `${record.gender ?? "gender unknown"}, born ${record.birthDate ?? "on an unknown day"}`;
  for (const [title, query, line] of SECTIONS) {
    const section = document.createElement("section");
    section.className = "card";
    const heading = section.appendChild(document.createElement("h2"));
    heading.textContent = title;
    const list = section.appendChild(document.createElement("ul"));
    element("chart").append(section);
    const found = (await read(query)).entry ?? [];
    const lines = found.map(({ resource }) => line(resource).filter(Boolean).join(" · ") || resource.id);
    for (const text of lines.length ? lines : ["Nothing is recorded."]) {
      list.appendChild(document.createElement("li")).textContent = text;
    }
  }
}

async function main() {
  const given = new URLSearchParams(location.search);
  if (given.has("launch")) {
    if (given.get("iss") !== fhirBase) throw new Error("This app works with its own server only.");
    return authorize(fhirBase, given.get("launch"));
  }
  const asked = JSON.parse(sessionStorage.getItem(REMEMBERED) ?? "null");
  sessionStorage.removeItem(REMEMBERED);
  if (given.has("error")) throw new Error(given.get("error_description") ?? given.get("error"));
  if (!given.has("code")) {
    element("welcome").hidden = false;
    return;
  }
  history.replaceState(null, "", home); // a code in the address would be kept in the browser's history
  if (!asked || asked.state !== given.get("state")) throw new Error("This answer belongs to no request of this app. Start again.");
  element("state").textContent = "Reading the record ...";
  await show(await token(given.get("code"), asked));
  element("state").textContent = "";
}

async function guarded(task) {
  try {
    await task();
  } catch (error) {
    element("state").textContent = error.message;
    element("welcome").hidden = false;
  }
}

element("start").addEventListener("click", () => guarded(() => authorize(fhirBase)));
guarded(main);
