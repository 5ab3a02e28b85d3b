"""Serves a page of this machine that asks its database with what it is told, word for word: what looks for a way in must find
this one, or it would find none anywhere. Prints its address."""

import http.server
import sqlite3
import urllib.parse


class OpenDoor(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        told = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("name", [""])[0]
        status, answer = 200, "nobody"
        try:
            database = sqlite3.connect(":memory:")
            database.execute("CREATE TABLE readers (name TEXT)")
            database.execute("INSERT INTO readers VALUES ('taro')")
            if database.execute(f"SELECT name FROM readers WHERE name = '{told}'").fetchall():
                answer = "somebody"
        except (sqlite3.Error, sqlite3.Warning) as error:
            status, answer = 500, f"SQLite error: {error}"
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"<html><body>{answer}</body></html>".encode())


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OpenDoor)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
