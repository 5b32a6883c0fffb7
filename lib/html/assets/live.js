/* A page with data-live is asked for again every so many seconds, and what has changed of it is shown in place: its parts
 * with data-part, all of it where there are none. A form with data-filter asks for it at once when something is typed. */
(() => {
        "use strict";
        const seconds = Number(document.body.dataset.live);
        if (!(seconds > 0)) return;
        let asked = 0;

        const parts = (page) => {
                const some = [...page.querySelectorAll("[data-part]")];
                return some.length > 0 ? some : [page.querySelector("main")];
        };

        /* Not while somebody is typing there, has something selected, or cannot see it. */
        const isBusy = () => document.hidden || !getSelection().isCollapsed ||
                parts(document).some((part) => part?.querySelector("input:focus, select:focus, textarea:focus"));

        /* What was opened stays open, and the focus where it was: by its place among its like. */
        const replace = (from, to) => {
                const opened = [...from.querySelectorAll("details")].map((one) => one.open);
                const links = [...from.querySelectorAll("a, button, summary")];
                const focus = links.indexOf(document.activeElement);
                to.querySelectorAll("details").forEach((one, i) => { one.open = Boolean(opened[i]); });
                from.replaceWith(to);
                if (focus >= 0) to.querySelectorAll("a, button, summary")[focus]?.focus({ preventScroll: true });
        };

        const look = async (mayBeBusy) => {
                const number = ++asked;
                if (!mayBeBusy && isBusy()) return;
                const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
                if (!answer.ok) return;
                const next = parts(new DOMParser().parseFromString(await answer.text(), "text/html"));
                if (number !== asked || (!mayBeBusy && isBusy())) return;
                parts(document).forEach((from, i) => {
                        const to = next[i];
                        if (from && to && from.innerHTML !== to.innerHTML) replace(from, document.adoptNode(to));
                });
        };

        const form = document.querySelector("form[data-filter]");
        form?.addEventListener("input", () => {
                const given = [...new FormData(form)].filter(([, value]) => value !== "");
                const query = new URLSearchParams(given).toString();
                history.replaceState(null, "", query ? `${location.pathname}?${query}` : location.pathname);
                look(true).catch(() => {});
        });

        const again = () => setTimeout(() => look(false).catch(() => {}).finally(again), seconds * 1000);
        again();
})();
