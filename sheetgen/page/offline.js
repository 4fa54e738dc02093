// Keeps the page for when there is no network; another version of the page has another name here.
const NAME = "sheetgen VERSION";

oninstall = (event) => event.waitUntil((async () => {
  const { files, pages } = await (await fetch("files.json")).json();
  await (await caches.open(NAME)).addAll([...pages, ...Object.keys(files)]);
  await skipWaiting();
})());

onactivate = (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name !== NAME) await caches.delete(name);
  await clients.claim();
})());

onfetch = (event) => event.respondWith((async () => {
  return await (await caches.open(NAME)).match(event.request) ?? fetch(event.request);
})());
