/* A page with data-live shows in place what has changed of it, its parts with data-part, all of it where there are none: every
 * so many seconds or, where data-events names a stream, when that says so, and now and then for what only time changes. A
 * form with data-filter asks for it at once when something is typed. */
(() => {
        "use strict";
        const seconds = Number(document.body.dataset.live), events = document.body.dataset.events;
        if (!(seconds > 0)) return;
        const QUIET = 20000, REFUSED = 60000; /* ms: between two looks while a stream is open; before it is asked for again */

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

        let asked = 0;
        const ask = async (mayBeBusy) => {
                const number = ++asked;
                const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
                if (!answer.ok) return;
                const next = parts(new DOMParser().parseFromString(await answer.text(), "text/html"));
                if (number !== asked || (!mayBeBusy && isBusy())) return;
                parts(document).forEach((from, i) => {
                        const to = next[i];
                        if (from && to && from.innerHTML !== to.innerHTML) replace(from, document.adoptNode(to));
                });
        };

        /* What is told while it is looked, or while somebody is busy, is looked at afterwards. */
        let looks = false, missed = false, looked = Date.now();
        const look = async () => {
                missed = looks || Boolean(isBusy());
                if (missed) return;
                looks = true;
                await ask(false).catch(() => {});
                looks = false;
                looked = Date.now();
                if (missed) look();
        };

        let stream = null, tried = -REFUSED;
        const listen = () => {
                if (!events || stream || document.hidden || Date.now() - tried < REFUSED) return;
                tried = Date.now();
                stream = new EventSource(events);
                stream.addEventListener("change", look);
                stream.onopen = () => { tried = -REFUSED; };
                stream.onerror = () => { if (stream?.readyState === EventSource.CLOSED) stream = null; };
        };
        const leave = () => { stream?.close(); stream = null; };

        const form = document.querySelector("form[data-filter]");
        form?.addEventListener("input", () => {
                const given = [...new FormData(form)].filter(([, value]) => value !== "");
                const query = new URLSearchParams(given).toString();
                history.replaceState(null, "", query ? `${location.pathname}?${query}` : location.pathname);
                ask(true).catch(() => {});
        });

        setInterval(() => {
                listen();
                if (missed || stream?.readyState !== EventSource.OPEN || Date.now() - looked > QUIET) look();
        }, seconds * 1000);
        /* Nobody looks: its place is another's. */
        document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); else { listen(); look(); } });
        addEventListener("pagehide", leave);
        listen();
})();
