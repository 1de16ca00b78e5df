// Inside a platform's page, where loading the whole page again would flicker: fetch what has changed.
(() => {
  const main = document.querySelector("main[data-refresh][data-working]");
  if (!main) return;
  const seconds = Number(main.dataset.working);
  const look = async () => {
    const answer = await fetch(main.dataset.refresh).catch(() => null);
    if (answer && answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main");
      main.replaceChildren(...fresh.childNodes);
      if (!fresh.dataset.working) return;
    } else if (answer) return;
    setTimeout(look, seconds * 1000);
  };
  setTimeout(look, seconds * 1000);
})();
