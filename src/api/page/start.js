// Loads the page once more if a part of it could not be loaded, for example because the gateway was just being restarted. This is
// no module, so that it runs when a module is missing.
(() => {
  const PAUSE_MS = 2_000;
  let again = false;

  async function reload() {
    const state = document.getElementById("state");
    if (state) state.textContent = "The gateway cannot be reached. Trying again…";
    const there = await fetch("/health", { cache: "no-store" }).then((reply) => reply.ok, () => false);
    if (there) location.reload();
    else setTimeout(reload, PAUSE_MS);
  }

  // Elements do not pass this event on; one that comes from the window itself is an error in a script.
  addEventListener("error", ({ target }) => {
    if (again || !(target instanceof HTMLLinkElement || target instanceof HTMLScriptElement)) return;
    again = true;
    setTimeout(reload, PAUSE_MS);
  }, true);
})();
