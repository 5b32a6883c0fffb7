# SPDX-License-Identifier: Apache-2.0
"""What a page in a browser has to be for who does not see it, sees it badly, or has no mouse."""

# Of each piece of text that is shown: how much its colour differs from what it stands on, where that is not enough (AA).
CONTRAST = """(() => {
    const parse = (colour) => { const n = colour.match(/[\\d.]+/g).map(Number); return {rgb: n.slice(0, 3), alpha: n[3] ?? 1}; };
    const light = (rgb) => rgb.map((c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; })
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (one) => { for (; one; one = one.parentElement) {
        const colour = parse(getComputedStyle(one).backgroundColor); if (colour.alpha === 1) return colour.rgb; }
        return parse(getComputedStyle(document.body).backgroundColor).rgb; };
    const bad = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const one = walker.currentNode.parentElement, style = getComputedStyle(one);
        if (!walker.currentNode.data.trim() || !one.checkVisibility() || one.closest("title, script, noscript")) continue;
        const [a, b] = [light(parse(style.color).rgb), light(ground(one))].sort((x, y) => y - x);
        const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < (large ? 3 : 4.5)) bad.push([walker.currentNode.data.trim().slice(0, 40), Math.round(ratio * 100) / 100]);
    }
    return bad;
})()"""

FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
NAMED = {"button", "link", "textbox", "searchbox", "combobox", "region", "image", "navigation"}


def complaints(browser):
    """In a sentence each."""
    found = [f"{text!r} has a contrast of {ratio}" for text, ratio in browser.run(CONTRAST)]
    nodes = [node for node in browser.call("Accessibility.getFullAXTree")["nodes"] if not node.get("ignored")]
    roles = [node["role"]["value"] for node in nodes]
    for role in ("main", "navigation"):
        if roles.count(role) != 1:
            found.append(f"{roles.count(role)} of {role}")
    found += [f"a {node['role']['value']} without a name" for node in nodes
              if node["role"]["value"] in NAMED and not node.get("name", {}).get("value")]
    levels = browser.run("[...document.querySelectorAll('h1, h2, h3, h4')].map(one => Number(one.tagName[1]))")
    if not levels or levels[0] != 1 or any(after > before + 1 for before, after in zip(levels, levels[1:])):
        found.append(f"headings go {levels}")
    return found


def walk(browser, most=200):
    """Presses Tab through the page; a complaint about what is not reached, is not shown to be, or comes before its turn."""
    browser.run(f"document.activeElement.blur(); window.there = [...document.querySelectorAll(`{FOCUSABLE}`)]"
                ".filter(one => one.checkVisibility())")
    count, seen = browser.run("there.length"), []
    for _ in range(8 * most):
        if len(seen) == min(count, most):
            break
        browser.press("Tab", 9)
        now = browser.run("there.indexOf(document.activeElement)")
        if seen and now == seen[-1]:
            continue  # a field of several, such as of a date
        seen.append(now)
        if seen[-1] < 0:
            return [f"the focus goes elsewhere after {len(seen) - 1} of {count}"]
        if not browser.run("getComputedStyle(document.activeElement).outlineStyle !== 'none'"):
            return [f"nothing shows the focus on {browser.run('document.activeElement.outerHTML')[:100]}"]
    return [] if len(seen) == min(count, most) and seen == sorted(set(seen)) else [f"the focus goes {seen}"]
