#!/usr/bin/env python3
"""Borgerlinje: hvad skal skrives næste gang? Et eksempel på et program, der bruger studiets API.

Kun Pythons eget standardbibliotek (3.9 eller nyere). API'et er beskrevet i docs/studio-api.md og, for
programmer, i GET /api/studio/openapi.json.

    BORGERLINJE_URL=https://chat.kommunen.dk BORGERLINJE_USER=eva BORGERLINJE_PASSWORD=… python3 studio.py
    … studio.py --kladde --omraade affald     lægger den største gruppe i en kladde; intet udgives

Brugeren skal være redaktør. Adgangskoden læses fra miljøet, så den ikke står i listen over processer.
"""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request


class Studio:
    """En session hos tjenesten. Fejl er SystemExit med tjenestens egen tekst."""

    def __init__(self, url, user, password):
        self.url = url.rstrip("/")
        # En side på en anden adresse kan ikke sende disse to: sådan kender tjenesten sine egne.
        self.headers = {"Origin": self.url, "Content-Type": "application/json"}
        answer, said = self._send("POST", "/api/session", {"user": user, "password": password})
        self.headers["x-borgerlinje-csrf"] = said["csrf"]
        self.headers["Cookie"] = answer.headers["Set-Cookie"].split(";")[0]

    def _send(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, self.headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
                return answer, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            try:
                said = json.load(error)["text"]
            except (ValueError, KeyError):
                said = f"Tjenesten svarede {error.code}."
            raise SystemExit(said) from None
        except urllib.error.URLError as error:
            raise SystemExit(f"{self.url} svarer ikke: {error.reason}") from None

    def get(self, path):
        return self._send("GET", f"/api/studio{path}")[1]

    def post(self, path, body):
        return self._send("POST", f"/api/studio{path}", body)[1]

    def job(self, path, body):
        """Begynder noget, der tager tid, og venter på det."""
        started = self.post(path, body)["job"]
        while True:
            job = self.get(f"/jobs/{started}")
            if job["state"] == "done":
                return job["result"]
            if job["state"] != "running":
                raise SystemExit((job.get("error") or {}).get("text", "Opgaven blev stoppet."))
            time.sleep(0.3)

    def close(self):
        self._send("DELETE", "/api/session")


def main():
    options = argparse.ArgumentParser(description="Hvad skal skrives næste gang?")
    options.add_argument("--dage", type=int, default=30, help="så langt tilbage ses der (30)")
    options.add_argument("--kladde", action="store_true", help="læg den største gruppe i en kladde")
    options.add_argument("--omraade", help="områdets navn i adressen, fx affald")
    asked = options.parse_args()
    try:
        studio = Studio(*(os.environ[f"BORGERLINJE_{name}"] for name in ("URL", "USER", "PASSWORD")))
    except KeyError as missing:
        raise SystemExit(f"Sæt {missing.args[0]}.") from None
    try:
        found = studio.job("/next", {"days": asked.dage})
        print(f"{found['looked_at']} spørgsmål på {asked.dage} dage")
        for group in found["groups"][:10]:
            print(f"{group['size']:5}  {group['draft']['title']}")
        for article in found["overdue"]:
            print(f"Gennemses: {article['title']} ({article['owner']}, senest {article['review_by']})")
        for link in found["links"]["faults"]:
            print(f"Link: {link['url']} {link['text']}")
        if asked.kladde and found["groups"]:
            group = found["groups"][0]
            article = dict(group["draft"]["article"])
            article["area"] = asked.omraade or article["area"]
            draft = studio.post("/drafts", {
                "title": group["draft"]["title"],
                "why": f"{group['size']} spørgsmål fik ikke et svar",
                "changes": [{"kind": "article", "layer": "shared", "article": article}],
            })
            print(f"Kladde {draft['id']}: {len(draft['faults'])} fejl skal rettes, før den kan udgives")
    finally:
        studio.close()


if __name__ == "__main__":
    sys.exit(main())
