# SPDX-License-Identifier: Apache-2.0
"""What the services that people are told by refuse: required fields, types and sizes, as their documentation has them.

Each takes a body as it was posted and answers what is wrong with it, in words; nothing when it would be taken.
"""

import json
import re
from urllib.parse import urlsplit

# https://api.slack.com/reference/block-kit/blocks and /block-elements
SLACK_BLOCKS, SLACK_TEXT, SLACK_FIELD, SLACK_FIELDS, SLACK_BUTTON, SLACK_ELEMENTS, SLACK_URL = 50, 3000, 2000, 10, 75, 25, 3000
SLACK_MESSAGE = 40_000
# https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
PAGERDUTY_SUMMARY, PAGERDUTY_KEY, PAGERDUTY_BODY = 1024, 255, 512 * 1024
# https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
TEAMS_BODY = 28 * 1024
# https://docs.ntfy.sh/publish/#limitations
NTFY_MESSAGE, NTFY_ACTIONS = 4096, 3


class Refused(Exception):
    pass


def need(truth, *words):
    if not truth:
        raise Refused(" ".join(map(str, words)))


def only(document, required, optional=()):
    need(isinstance(document, dict), "no object:", repr(document)[:80])
    for key in required:
        need(key in document, "missing:", key)
    for key in document:
        need(key in required or key in optional, "unknown:", key)


def is_text(value, most, what, least=1):
    need(isinstance(value, str) and least <= len(value) <= most, what, "is no text of", least, "to", most, "characters")


def is_url(value, most, what):
    is_text(value, most, what)
    parts = urlsplit(value)
    need(parts.scheme in ("http", "https") and parts.netloc and not re.search(r"[\s<>\"]", value), what, "is no URL")


def slack_plain(text, most, what):
    only(text, ("type", "text"), ("emoji",))
    need(text["type"] == "plain_text", what, "is of type", text["type"])
    is_text(text["text"], most, what)
    need(not re.search(r"[<>]|&(?!(?:amp|lt|gt);)", text["text"]), what, "holds markup")


def slack_block(block):
    need(isinstance(block, dict) and block.get("type") in ("section", "actions"), "no such block")
    if block["type"] == "section":
        only(block, ("type",), ("text", "fields"))
        need("text" in block or "fields" in block, "a section without text and fields")
        if "text" in block:
            slack_plain(block["text"], SLACK_TEXT, "a section's text")
        if "fields" in block:
            need(1 <= len(block["fields"]) <= SLACK_FIELDS, "fields:", len(block["fields"]))
            for field in block["fields"]:
                slack_plain(field, SLACK_FIELD, "a field")
    else:
        only(block, ("type", "elements"))
        need(1 <= len(block["elements"]) <= SLACK_ELEMENTS, "elements:", len(block["elements"]))
        for element in block["elements"]:
            only(element, ("type", "text", "url"), ("style",))
            need(element["type"] == "button" and element.get("style") in (None, "primary", "danger"), "no such button")
            slack_plain(element["text"], SLACK_BUTTON, "a button")
            is_url(element["url"], SLACK_URL, "a button's URL")


def slack(body):
    document = json.loads(body)
    only(document, ("text",), ("attachments", "mrkdwn"))
    is_text(document["text"], SLACK_MESSAGE, "text")
    need(not re.search(r"[<>]", document["text"]), "text holds markup")
    for attachment in document.get("attachments", []):
        only(attachment, ("blocks",), ("color",))
        need(re.fullmatch(r"good|warning|danger|#[0-9a-f]{6}", attachment["color"]), "no color")
        need(1 <= len(attachment["blocks"]) <= SLACK_BLOCKS, "blocks:", len(attachment["blocks"]))
        for block in attachment["blocks"]:
            slack_block(block)


def pagerduty(body):
    document = json.loads(body)
    need(len(body) <= PAGERDUTY_BODY, "too large")
    action = document.get("event_action")
    need(action in ("trigger", "acknowledge", "resolve"), "no such event_action")
    only(document, ("routing_key", "event_action") + (("payload",) if action == "trigger" else ("dedup_key",)),
         ("dedup_key", "client", "client_url", "links", "images", "payload"))
    need(re.fullmatch(r"[0-9a-zA-Z]{32}", document["routing_key"]), "invalid routing_key")
    if "dedup_key" in document:
        is_text(document["dedup_key"], PAGERDUTY_KEY, "dedup_key")
    for link in document.get("links", []):
        only(link, ("href",), ("text",))
        is_url(link["href"], 2048, "a link")
    if "client_url" in document:
        is_url(document["client_url"], 2048, "client_url")
    if action == "trigger":
        payload = document["payload"]
        only(payload, ("summary", "source", "severity"), ("timestamp", "component", "group", "class", "custom_details"))
        is_text(payload["summary"], PAGERDUTY_SUMMARY, "summary")
        is_text(payload["source"], PAGERDUTY_KEY, "source")
        need(payload["severity"] in ("critical", "error", "warning", "info"), "no such severity")
        need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", payload["timestamp"]), "no timestamp")
        need(isinstance(payload.get("custom_details", {}), dict), "custom_details")


def teams_block(block):
    """What knows Markdown is refused: a label would be a link."""
    only(block, ("type", "inlines"))
    need(block["type"] == "RichTextBlock" and block["inlines"], "no RichTextBlock")
    for run in block["inlines"]:
        only(run, ("type", "text"), ("weight", "color"))
        need(run["type"] == "TextRun", "no TextRun")
        is_text(run["text"], TEAMS_BODY, "a run", least=0)
        need(run.get("weight", "Default") in ("Lighter", "Default", "Bolder"), "no such weight")
        need(run.get("color", "Default") in ("Default", "Good", "Warning", "Attention"), "no such color")


def teams(body):
    document = json.loads(body)
    need(len(body) <= TEAMS_BODY, "too large:", len(body))
    only(document, ("type", "attachments"))
    need(document["type"] == "message" and len(document["attachments"]) == 1, "no message with one card")
    attachment = document["attachments"][0]
    only(attachment, ("contentType", "content"), ("contentUrl",))
    need(attachment["contentType"] == "application/vnd.microsoft.card.adaptive", "no card")
    card = attachment["content"]
    only(card, ("type", "version", "body"), ("$schema", "actions"))
    need(card["type"] == "AdaptiveCard" and re.fullmatch(r"1\.[0-5]", card["version"]), "no card that Teams shows")
    need(card["body"], "an empty card")
    for block in card["body"]:
        teams_block(block)
    for action in card.get("actions", []):
        only(action, ("type", "title", "url"))
        need(action["type"] == "Action.OpenUrl", "no such action")
        is_url(action["url"], 2048, "an action's URL")


def ntfy(body):
    document = json.loads(body)
    only(document, ("topic",), ("message", "title", "tags", "priority", "click", "actions"))
    need(re.fullmatch(r"[-_A-Za-z0-9]{1,64}", document["topic"]), "invalid topic")
    need(len(document["message"].encode()) <= NTFY_MESSAGE, "the message becomes an attachment")
    need(document.get("priority") in (None, 1, 2, 3, 4, 5), "no such priority")
    need(all(re.fullmatch(r"[a-z0-9_+-]+", tag) for tag in document.get("tags", [])), "tags")
    if "click" in document:
        is_url(document["click"], 2048, "click")
    need(len(document.get("actions", [])) <= NTFY_ACTIONS, "too many actions")
    for action in document.get("actions", []):
        only(action, ("action", "label", "url"))
        need(action["action"] == "view", "no such action")
        is_url(action["url"], 2048, "an action's URL")


def generic(body):
    document = json.loads(body)
    only(document, ("version", "at", "text", "kind", "key", "host", "incident", "remediation", "state", "details"))
    need(document["version"] == 1 and isinstance(document["details"], dict), "not ours")


# By the word of the receiver's format: who looks at a body, and what is answered to one that is taken.
APIS = {"slack": (slack, 200), "json": (generic, 200), "pagerduty": (pagerduty, 202), "teams": (teams, 202), "ntfy": (ntfy, 200)}


def refusal(word, body):
    """Why a body would be refused; None: it would not."""
    try:
        body.decode("utf-8")
        APIS[word][0](body)
    except (Refused, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    return None
