"""Reads the feeds of a built blog as readers' programs do, and wants them to agree in every entry.

usage: python3 feeds.py FOLDER-OF-THE-BLOG    (feedparser in PYTHONPATH)
"""

import json
import re
import sys
import xml.dom.minidom
from datetime import datetime
from pathlib import Path

import feedparser

folder = Path(sys.argv[1])
failures = []


def want(truth, words):
    if not truth:
        failures.append(words)


read = {}
for name in ["atom.xml", "rss.xml"]:
    octets = (folder / name).read_bytes()
    xml.dom.minidom.parseString(octets)
    feed = feedparser.parse(octets)
    want(not feed.bozo, f"{name}: {feed.get('bozo_exception')}")
    want(feed.version == {"atom.xml": "atom10", "rss.xml": "rss20"}[name], f"{name}: is {feed.version}")
    for field in ["title", "link", "language"]:
        want(feed.feed.get(field), f"{name}: has no {field}")
    want(feed.entries, f"{name}: has no entries")
    for entry in feed.entries:
        for field in ["title", "link", "id", "published_parsed", "author", "content"]:
            want(entry.get(field), f"{name}: {entry.get('id')} has no {field}")
    read[name] = [
        (entry.id, entry.link, entry.title, entry.content[0].value, entry.published_parsed[:6])
        for entry in feed.entries
    ]

feed = json.loads((folder / "feed.json").read_bytes())
allowed = {
    "feed": {"version", "title", "home_page_url", "feed_url", "description", "authors", "language", "items"},
    "item": {"id", "url", "title", "content_html", "summary", "image", "date_published", "authors", "tags"},
}
want(feed["version"] == "https://jsonfeed.org/version/1.1", "feed.json: is of another version")
want(set(feed) <= allowed["feed"], f"feed.json: {set(feed) - allowed['feed']}")
items = []
for item in feed["items"]:
    want(set(item) <= allowed["item"], f"feed.json: {set(item) - allowed['item']}")
    date = datetime.fromisoformat(item["date_published"])
    want(date.utcoffset() is not None, f"feed.json: {item['id']} has no time zone")
    items.append((item["id"], item["url"], item["title"], item["date_published"]))
    for address in re.findall(r'(?:href|src)="([^"]*)"', item["content_html"]):
        want(re.match(r"[a-z]+:|#", address), f"feed.json: {item['id']} leads to {address}")
want(len({item[0] for item in items}) == len(items), "feed.json: an id stands for two entries")

for name, entries in read.items():
    want([entry[:3] for entry in entries] == [item[:3] for item in items], f"{name} and feed.json differ")
    dates = [datetime.fromisoformat(item[3]).utctimetuple()[:6] for item in items]
    want([entry[4] for entry in entries] == dates, f"{name} and feed.json differ in their dates")
want(
    [entry[3] for entry in read["atom.xml"]] == [entry[3] for entry in read["rss.xml"]],
    "atom.xml and rss.xml differ in their contents",
)

for failure in failures:
    print(failure)
print(f"{len(items)} entries in three feeds, {len(failures)} failures")
sys.exit(1 if failures or not items else 0)
