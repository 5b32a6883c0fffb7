/* A page with data-live is asked for again every so many seconds, and what has changed of it is shown in place. */
(() => {
        "use strict";
        const seconds = Number(document.body.dataset.live);
        if (!(seconds > 0)) return;

        /* Not while somebody is typing, has something selected, or cannot see it. */
        const isBusy = () => document.hidden || !getSelection().isCollapsed ||
                document.querySelector("main input:focus, main select:focus, main textarea:focus");

        /* What was opened stays open, and the focus where it was: by its place among its like. */
        const replace = (from, to) => {
                const opened = [...from.querySelectorAll("details")].map((one) => one.open);
                const links = [...from.querySelectorAll("a, button, summary")];
                const focus = links.indexOf(document.activeElement);
                to.querySelectorAll("details").forEach((one, i) => { one.open = Boolean(opened[i]); });
                from.replaceWith(to);
                if (focus >= 0) to.querySelectorAll("a, button, summary")[focus]?.focus({ preventScroll: true });
        };

        const look = async () => {
                if (isBusy()) return;
                const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
                if (!answer.ok || isBusy()) return;
                const next = new DOMParser().parseFromString(await answer.text(), "text/html");
                const from = document.querySelector("main"), to = next.querySelector("main");
                if (from && to && from.innerHTML !== to.innerHTML) replace(from, document.adoptNode(to));
        };

        const again = () => setTimeout(() => look().catch(() => {}).finally(again), seconds * 1000);
        again();
})();
