"""An endpoint of chat completions for judge.sh, on a port of loopback that it prints: it prefers the shorter response.

The first part of the address says how it behaves: `good`, `key` (wants the bearer token right-key), `flaky` (the first requests fail, each
in another way), `down`, `nonsense`, `silent`. Each request is a line {"path", "key", "at", "body"} of the file given.
"""
import http.server
import json
import re
import sys
import threading
import time

lock = threading.Lock()
flaky = iter(["500", "429", "silent", "html", "nonsense", "close"])


def verdict(body):
    text = body["messages"][1]["content"]
    a = re.search(r"<A>\n(.*?)\n</A>", text, re.S).group(1)
    b = re.search(r"<B>\n(.*?)\n</B>", text, re.S).group(1)
    return "A" if len(a) < len(b) else "B" if len(b) < len(a) else "C"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, body, headers=()):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def complete(self, answer):
        usage = {"prompt_tokens": 100, "completion_tokens": 1}
        message = {"role": "assistant", "content": answer}
        self.send(200, json.dumps({"choices": [{"message": message}], "usage": usage}))

    def do_POST(self):
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        if not sent:
            # A connection that the client gave up.
            self.close_connection = True
            return
        body = json.loads(sent)
        key = self.headers.get("Authorization", "")
        with lock:
            with open(sys.argv[1], "a") as log:
                log.write(json.dumps({"path": self.path, "key": key, "at": time.time(), "body": body}) + "\n")
            kind = self.path.split("/")[1]
            if kind == "flaky":
                kind = next(flaky, "good")
        if kind == "good" or kind == "key" and key == "Bearer right-key":
            self.complete(verdict(body))
        elif kind == "key":
            self.send(401, json.dumps({"error": {"message": f"no such key: {key}"}}))
        elif kind == "429":
            self.send(429, json.dumps({"error": {"message": "slow down"}}), [("Retry-After", "2")])
        elif kind == "html":
            self.send(200, "<html>welcome to the hotel</html>")
        elif kind == "nonsense":
            self.complete("Both responses have their merits, I cannot say which is better.")
        elif kind == "silent":
            time.sleep(20)
        elif kind == "close":
            self.close_connection = True
        elif kind == "redirect":
            self.send(302, "", [("Location", "/good/v1/chat/completions")])
        else:
            self.send(500, json.dumps({"error": {"message": "out of order"}}))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that no longer listens, as after its time limit, is no error."""


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
