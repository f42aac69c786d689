// The navigation says which section one is in, and keeps its link in sight.
function markSections(nav) {
  const links = new Map([...nav.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
  const sections = [...links.keys()].map((id) => document.getElementById(id));
  const top = () => nav.getBoundingClientRect().bottom + 24;
  let now = null;
  function mark() {
    const passed = sections.filter((section) => section.getBoundingClientRect().top <= top());
    const link = links.get(passed.at(-1)?.id) ?? null;
    if (link === now) return;
    now?.removeAttribute("aria-current");
    link?.setAttribute("aria-current", "location");
    now = link;
    const bar = nav.firstElementChild;
    if (link) bar.scrollTo({ left: link.offsetLeft - (bar.clientWidth - link.offsetWidth) / 2 });
  }
  let waits = false;
  addEventListener("scroll", () => {
    if (!waits) requestAnimationFrame(() => { waits = false; mark(); });
    waits = true;
  }, { passive: true });
  mark();
}

markSections(document.querySelector("nav.sections"));
