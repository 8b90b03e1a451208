#!/usr/bin/env python3
"""Verifies Gatehouse audit trails; written from docs/audit-format.md alone and sharing no code with `gatehouse audit
verify`, for auditors who do not want to trust ours. Needs Python 3.9 and the command openssl (for Ed25519), nothing else.

    python3 verify_audit.py <directory>... --checkpoint FILE... [--key KEY]... [--witness-key FILE]... [--json]
    python3 verify_audit.py <directory>... --local-only [--key KEY]... [--json]

  <directory>         the audit directory of all instances, or of one; several are one trail
  --checkpoint FILE   a copy of an instance's file 'checkpoint' that was kept elsewhere; one for each instance
  --key KEY           a copy of 'keys.pub' from the first start, or the root key's fingerprint (sha256:...)
  --witness-key FILE  a witness's public key: each checkpoint must be cosigned by one of them
  --local-only        without a checkpoint: a cut end cannot be seen then
  --json              the findings as one JSON document

Exit codes: 0 sound, 1 tampered with, 2 its end is missing, 3 incomplete, 4 wrong usage or unreadable.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zlib

SEGMENT = re.compile(r"audit-([0-9a-f]{32})-(\d{8})-(\d{16})\.jsonl")
OWNER = re.compile(r"owner-(\d+)-(\d+)\.json")
CHECKPOINT_FILE = re.compile(r"checkpoint(?:-\d{8}|\.witnessed)?")
PREFIX = re.compile(
    rb'\{"v":1,"seq":([1-9]\d{0,15}),"prev":"([0-9a-f]{64})","ts":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)",'
    rb'"mono":\d+(?:\.\d+)?,"event":"([a-z0-9_.]+)"'
)
SIGNED_END = re.compile(rb',"sig":"([A-Za-z0-9+/=]{88})"\Z')
CRC_BYTES = 18
MAX_LINE = 4 * 1024 * 1024
GENESIS = bytes(32)
VERDICTS = ("ok", "incomplete", "truncated", "tampered")
EXIT_CODES = {"ok": 0, "tampered": 1, "truncated": 2, "incomplete": 3}


def sha256(data):
    return hashlib.sha256(data).digest()


class Tree:
    """RFC 6962 section 2.1, kept as the roots of its complete subtrees, the largest first."""

    def __init__(self, size=0, peaks=()):
        self.size, self.peaks = size, list(peaks)

    def add(self, leaf):
        node, rest = leaf, self.size
        while rest % 2 == 1:
            node, rest = sha256(b"\x01" + self.peaks.pop() + node), rest // 2
        self.peaks.append(node)
        self.size += 1

    def root(self):
        if not self.peaks:
            return sha256(b"")
        node = self.peaks[-1]
        for left in reversed(self.peaks[:-1]):
            node = sha256(b"\x01" + left + node)
        return node


def public_key(text):
    """The 32 bytes, or None when it is not exactly their base64."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        return None
    return raw if len(raw) == 32 and base64.b64encode(raw).decode() == text else None


def is_signed(key, message, signature):
    """Ed25519 by openssl. RFC 8410 says what stands before the 32 bytes of a public key."""
    der = bytes.fromhex("302a300506032b6570032100") + key
    with tempfile.TemporaryDirectory() as place:
        paths = [os.path.join(place, name) for name in ("key", "message", "signature")]
        for path, content in zip(paths, (der, message, signature)):
            with open(path, "wb") as file:
                file.write(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", paths[0], "-rawin"]
        done = subprocess.run(command + ["-in", paths[1], "-sigfile", paths[2]], capture_output=True, check=False)
    return done.returncode == 0


def refuse_weak_openssl():
    """A verifier that cannot verify must not look like one that found forgeries (RFC 8032, 7.1, test 2)."""
    if shutil.which("openssl") is None:
        raise Unreadable("the command openssl is needed; on Debian: apt-get install openssl")
    key = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    if not is_signed(key, b"\x72", signature) or is_signed(key, b"\x73", signature):
        raise Unreadable("this openssl does not verify Ed25519 (pkeyutl -rawin); OpenSSL 3 does")


class Unreadable(Exception):
    """Wrong usage, or what was named cannot be read."""


def is_intact(line):
    end = len(line) - CRC_BYTES
    return end > 0 and line[end:] == b',"crc":"%08x"}' % zlib.crc32(line[:end])


def is_line_signed_by(key, line):
    told = line[:-CRC_BYTES]
    found = SIGNED_END.search(told)
    return found is not None and is_signed(key, told[: found.start()], base64.b64decode(found[1]))


def members_of(line):
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def key_id(name, kind, key):
    return sha256(name.encode() + b"\n" + bytes([kind]) + key)[:4]


class Note:
    """A C2SP checkpoint: what it says means nothing before a signature was verified."""

    FORM = re.compile(r"((\S+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n)\n((?:\u2014 \S+ [A-Za-z0-9+/]+=*\n)+)")

    def __init__(self, text):
        found = self.FORM.fullmatch(text)
        if found is None:
            raise ValueError("not a checkpoint")
        self.signed, self.origin, size, root, lines = found.groups()
        self.size, self.root, self.signatures = int(size), base64.b64decode(root), []
        for line in lines.splitlines():
            _, name, encoded = line.split(" ")
            raw = base64.b64decode(encoded)
            self.signatures.append((name, raw[:4], raw[4:]))

    def is_signed_by(self, name, key):
        own = key_id(name, 1, key)
        return any(
            is_signed(key, self.signed.encode(), signature)
            for who, which, signature in self.signatures
            if who == name and which == own
        )

    def is_cosigned_by(self, name, key):
        own = key_id(name, 4, key)
        for who, which, signature in self.signatures:
            if who == name and which == own and len(signature) == 72:
                seconds = int.from_bytes(signature[:8], "big")
                if is_signed(key, f"cosignature/v1\ntime {seconds}\n{self.signed}".encode(), signature[8:]):
                    return True
        return False


def keys_in(path):
    """(name, kind, key) of each line `<name>+<key id>+<base64 of kind and key>`."""
    keys = []
    for word in read_text(path).split():
        # The base64 may itself contain a plus; the name and the id may not.
        found = re.fullmatch(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})", word)
        if found is None:
            continue
        name, which, encoded = found.groups()
        raw = base64.b64decode(encoded)
        if len(raw) == 33 and key_id(name, raw[0], raw[1:]).hex() == which:
            keys.append((name, raw[0], raw[1:]))
    if not keys:
        raise Unreadable(f"{path} holds no public key")
    return keys


def read_text(path):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from error


class Segment:
    def __init__(self, path, chain, number, first_seq):
        self.path, self.chain, self.number, self.first_seq = path, chain, number, first_seq
        self.file = os.path.basename(path)

    def header(self):
        with open(self.path, "rb") as file:
            line = file.readline(MAX_LINE)
        return members_of(line[:-1]) if line.endswith(b"\n") and is_intact(line[:-1]) else {}


class Removed:
    """What is left of a segment whose time is over; first, last and key are filled in when they are believed."""

    def __init__(self, header, tombstone):
        self.header, self.tombstone = header, tombstone
        self.first = self.last = self.key = None


def read_removed(segments, chain):
    """In order from segment 1; ends before the first pair that is not whole."""
    for directory in sorted({os.path.dirname(segment.path) for segment in segments}):
        path = os.path.join(directory, f"expired-{chain}.jsonl")
        if not os.path.exists(path):
            continue
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")[:-1]
        pairs = []
        for header, tombstone in zip(lines[::2], lines[1::2]):
            if event_of(header) != b"audit.segment_opened" or event_of(tombstone) != b"audit.segment_expired":
                break
            pairs.append(Removed(header, tombstone))
        return pairs
    return []


def event_of(line):
    found = PREFIX.match(line) if is_intact(line) else None
    return found and found[4]


class Fault(Exception):
    """The first thing in a segment that is wrong. torn: a crash may explain it."""

    def __init__(self, reason, torn=False):
        super().__init__(reason)
        self.torn = torn


class Chain:
    """All segments of one chain, checked in their order."""

    def __init__(self, name, segments, running, trust):
        self.name, self.segments, self.running, self.trust = name, segments, running, trust
        self.findings = []
        self.seq, self.head, self.tree = 0, GENESIS, Tree()
        self.key = None  # of the segment before, when that was sound
        self.previous = None  # what the next header must say; None where it cannot be known
        self.known = True  # whether seq, head and tree are those of what lies before
        self.lines = 0
        self.checkpoints = []  # (file, note, from elsewhere)
        self.reached = {}  # size -> (root, key of the segment)
        self.tombstones = {}  # seq -> the line that must stand there
        self.siblings = {}  # origin of another chain that this one names -> the greatest size

    def find(self, verdict, file, reason, line=None, seq=None):
        place = {name: value for name, value in (("line", line), ("seq", seq)) if value is not None}
        self.findings.append({"verdict": verdict, "file": file, "reason": reason, **place})

    def verify(self):
        self.read_checkpoints()
        expected = self.account_for_removed()
        for at, segment in enumerate(self.segments):
            if segment.chain != self.name:
                self.find("tampered", segment.file, "a segment of another chain")
            elif segment.number != expected:
                self.find("tampered", segment.file, f"segment {expected} was expected here")
                self.known = False
            following = self.segments[at + 1] if at + 1 < len(self.segments) else None
            self.verify_segment(segment, following)
            expected = segment.number + 1
        for seq in self.tombstones:
            self.find("tampered", "", "a tombstone is not the line of the trail that it was copied from", seq=seq)
        self.check_checkpoints()

    def account_for_removed(self):
        """The number that the first segment should have: 1, or what follows from the account of removed ones."""
        first = self.segments[0]
        if first.number == 1:
            return 1
        try:
            pairs = read_removed(self.segments, self.name)[: first.number - 1]
            if len(pairs) < first.number - 1:
                raise Fault(f"segments {len(pairs) + 1} to {first.number - 1} are missing")
            for number, pair in enumerate(pairs, 1):
                self.follow_removed(number, pair)
            for pair in pairs:
                self.check_tombstone(pair, pairs)
        except Fault as fault:
            self.find("tampered", f"expired-{self.name}.jsonl", str(fault))
            self.known, self.key = False, None
            return first.number
        self.tree = None  # what is left begins with peaks that nothing is left to compare with
        return first.number

    def follow_removed(self, number, pair):
        header, said = members_of(pair.header), members_of(pair.tombstone)
        signer, key = public_key(header.get("signer")), public_key(header.get("key"))
        if signer is None or key is None or not is_line_signed_by(signer, pair.header):
            raise Fault(f"the header of removed segment {number} is not signed by the key that it names")
        if not (self.trust.knows_root(self.name, signer) if number == 1 else signer == self.key):
            raise Fault(f"the header of removed segment {number} is not signed by the key before it")
        mine = (self.name, number, self.seq + 1, self.head.hex(), self.previous)
        if tuple(header.get(name) for name in ("chain", "segment", "seq", "prev", "previous")) != mine:
            raise Fault(f"the header of removed segment {number} does not follow from what was before it")
        first, last, count = (said.get(name) for name in ("firstSeq", "lastSeq", "count"))
        if (said.get("segment"), first) != (number, self.seq + 1) or last is None or count != last - first + 1:
            raise Fault(f"the tombstone of removed segment {number} does not fit its header")
        pair.first, pair.last, pair.key = first, last, key
        self.previous = {name: said.get(name) for name in ("segment", "head", "root", "bytes", "closed")} | {"seq": last}
        self.seq, self.head, self.key = last, bytes.fromhex(said["head"]), key

    def check_tombstone(self, pair, pairs):
        """It is a line of the trail, or was one of a segment that is removed as well."""
        own = int(PREFIX.match(pair.tombstone)[1])
        if own >= self.segments[0].first_seq:
            self.tombstones[own] = pair.tombstone
            return
        holder = next((other for other in pairs if other.first <= own <= other.last), None)
        if holder is None or not is_line_signed_by(holder.key, pair.tombstone):
            raise Fault("a tombstone is not signed by the key of the segment that it stood in")

    def verify_segment(self, segment, following):
        said = (following.header().get("previous") or {}) if following else {}
        limit = None
        if said.get("closed") is False and said.get("segment") == segment.number:
            limit = said.get("bytes")
        walk = Walk(self, segment, limit)
        try:
            walk.run()
            fault = None
        except Fault as found:
            fault = found
        self.lines += walk.count
        self.judge_end(segment, walk, fault, following is not None, limit is not None)
        sound = fault is None and (walk.footer is not None or limit is not None)
        self.known, self.key = sound, walk.key if sound else None
        self.previous = None
        if sound:
            self.previous = {
                "segment": segment.number,
                "seq": self.seq,
                "head": self.head.hex(),
                "root": walk.tree.root().hex(),
                "bytes": walk.offset,
                "closed": walk.footer is not None,
            }

    def judge_end(self, segment, walk, fault, followed, unclosed):
        if fault is not None and (followed or not fault.torn):
            return self.find("tampered", segment.file, str(fault), walk.count + 1, self.seq + 1)
        if followed:
            if walk.footer is None and not unclosed:
                self.find("tampered", segment.file, "the footer is missing although segments follow")
            return None
        if self.running:
            return None
        if fault is not None:
            return self.find("truncated", segment.file, str(fault), walk.count + 1, self.seq + 1)
        if walk.footer is None:
            return self.find("truncated", segment.file, "there is no footer")
        if walk.footer.get("reason") != "stopped":
            self.find("truncated", segment.file, "the segment after this one is missing")
        return None

    def read_checkpoints(self):
        """Before the lines, so that those of a running gateway are not newer than what is read."""
        origin = f"gatehouse/audit/{self.name}"
        for directory in sorted({os.path.dirname(segment.path) for segment in self.segments}):
            for file in sorted(os.listdir(directory)):
                if not CHECKPOINT_FILE.fullmatch(file):
                    continue
                try:
                    note = Note(read_text(os.path.join(directory, file)))
                except ValueError:
                    continue  # what is no checkpoint says nothing
                if note.origin == origin:
                    self.checkpoints.append((file, note, False))
        for file, note in self.trust.notes:
            if note.origin == origin:
                self.checkpoints.append((file, note, True))

    def check_checkpoints(self):
        first = self.segments[0].first_seq
        for file, note, external in self.checkpoints:
            if note.size > self.seq:
                if external or not self.running:
                    self.find("truncated", file, f"it speaks of {note.size} lines, and there are {self.seq}")
            elif note.size < first:
                if external:
                    self.find("incomplete", file, "it is older than what is left of the trail")
            elif note.size not in self.reached:
                if not any(finding["verdict"] == "tampered" for finding in self.findings):
                    self.find("tampered", file, "no line ends where it does")
            else:
                root, key = self.reached[note.size]
                if root != note.root:
                    self.find("tampered", file, "its root is not that of the lines up to there")
                elif key is None or not note.is_signed_by(note.origin, key):
                    self.find("tampered", file, "it is not signed by the segment's key")
            if external and self.trust.witnesses:
                if not any(note.is_cosigned_by(name, key) for name, key in self.trust.witnesses):
                    self.find("incomplete", file, "no witness that was named has cosigned it")
        if not self.trust.local_only and not any(external for _, _, external in self.checkpoints):
            self.find("incomplete", "", "there is no checkpoint from elsewhere for this chain")

    def sizes_wanted(self):
        return {note.size for _, note, _ in self.checkpoints}

    def report(self):
        verdict = worst(self.findings)
        return {
            "chain": self.name,
            "directories": sorted({os.path.dirname(segment.path) for segment in self.segments}),
            "verdict": verdict,
            "running": self.running,
            "segments": len(self.segments),
            "removed": self.segments[0].number - 1,
            "records": self.lines,
            "lastSeq": self.seq,
            "head": self.head.hex(),
            "findings": self.findings,
        }


class Walk:
    """Through one segment's lines; moves the chain's end line by line."""

    def __init__(self, chain, segment, limit):
        self.chain, self.segment, self.limit = chain, segment, limit
        self.tree = Tree()
        self.offset = self.count = 0
        self.first_ts = self.last_ts = None
        self.key = self.footer = None
        self.wanted = chain.sizes_wanted()

    def run(self):
        with open(self.segment.path, "rb") as file:
            while True:
                room = MAX_LINE if self.limit is None else min(MAX_LINE, self.limit - self.offset)
                raw = file.readline(room) if room > 0 else b""
                if not raw:
                    break
                try:
                    self.take(raw)
                except Fault as fault:
                    if fault.torn and self.has_intact_line(file):
                        raise Fault(str(fault)) from None
                    raise
        if self.limit is not None and self.offset != self.limit:
            raise Fault("bytes are missing at its end")
        if self.count == 0:
            raise Fault("the file is empty", torn=True)

    def take(self, raw):
        chain, line = self.chain, raw[:-1]
        if self.footer is not None:
            raise Fault("something follows the footer")
        if not raw.endswith(b"\n"):
            raise Fault("the last line is incomplete", torn=len(raw) < MAX_LINE and self.limit is None)
        found = PREFIX.match(line) if is_intact(line) else None
        if found is None:
            raise Fault("the line is not as it was written", torn=b"\0" in line)
        seq, prev, ts, event = int(found[1]), bytes.fromhex(found[2].decode()), found[3].decode(), found[4].decode()
        if self.count == 0:
            self.enter(seq, prev, event, line)
        if seq != chain.seq + 1:
            raise Fault(f"{chain.seq + 1} was expected, {seq} found")
        if prev != chain.head:
            raise Fault("the line does not follow from the line before it")
        self.check_kind(event, line)
        leaf = sha256(b"\x00" + line)
        chain.seq, chain.head = seq, sha256(b"\x01" + chain.head + line)
        chain.tree.add(leaf)
        if event != "audit.segment_closed":
            self.tree.add(leaf)
            self.first_ts, self.last_ts = self.first_ts or ts, ts
        self.count += 1
        self.offset += len(raw)
        if seq in self.wanted:
            chain.reached[seq] = (chain.tree.root(), self.key)
        if event == "audit.sibling":
            facts = members_of(line).get("facts")
            origin, size = (facts.get(name) for name in ("origin", "size")) if isinstance(facts, dict) else (None, None)
            if isinstance(origin, str) and isinstance(size, int):
                chain.siblings[origin] = max(size, chain.siblings.get(origin, 0))
        if event == "audit.damage_accepted":
            chain.find("tampered", self.segment.file, "the gateway was told to go on behind damage", seq=seq)

    def enter(self, seq, prev, event, line):
        """The header. Behind a fault its own word is taken for where the segment begins."""
        chain, segment, header = self.chain, self.segment, members_of(line)
        if event != "audit.segment_opened":
            raise Fault("the first line is not a header")
        if (header.get("chain"), header.get("segment"), seq) != (segment.chain, segment.number, segment.first_seq):
            raise Fault("the header does not belong to a file of this name")
        peaks = header.get("peaks")
        if not isinstance(peaks, list) or len(peaks) != bin(seq - 1).count("1"):
            raise Fault("the header does not have the peaks of a tree of this size")
        if not all(isinstance(peak, str) and re.fullmatch("[0-9a-f]{64}", peak) for peak in peaks):
            raise Fault("the header's peaks are no hashes")
        told = [bytes.fromhex(peak) for peak in peaks]
        if not chain.known:
            chain.seq, chain.head, chain.tree = seq - 1, prev, Tree(seq - 1, told)
        elif chain.tree is None:
            chain.tree = Tree(seq - 1, told)
        elif told != chain.tree.peaks:
            raise Fault("the header is wrong about the tree before it")
        if chain.known and header.get("previous") != chain.previous:
            raise Fault("the header is wrong about its predecessor")
        self.key, signer = public_key(header.get("key")), public_key(header.get("signer"))
        if self.key is None or signer is None or not is_line_signed_by(signer, line):
            raise Fault("the header is not signed by the key that it names")
        if chain.key is not None and signer != chain.key:
            raise Fault("the header is not signed by the key of the segment before it")
        if segment.number == 1 and not chain.trust.knows_root(chain.name, signer):
            raise Fault("the chain does not begin with the root key that was given")

    def check_kind(self, event, line):
        if event == "audit.segment_opened" and self.count > 0:
            raise Fault("a second header")
        expected = self.chain.tombstones.get(self.chain.seq + 1)
        if expected is not None:
            if expected != line:
                raise Fault("the account of removed segments has another tombstone than this line")
            del self.chain.tombstones[self.chain.seq + 1]
        if event == "audit.segment_expired" and not is_line_signed_by(self.key, line):
            raise Fault("the tombstone is not signed by the segment's key")
        if event == "audit.segment_closed":
            self.check_footer(members_of(line), line)

    def check_footer(self, footer, line):
        mine = {
            "count": self.count,
            "firstTs": self.first_ts,
            "lastTs": self.last_ts,
            "root": self.tree.root().hex(),
            "head": self.chain.head.hex(),
        }
        if any(footer.get(name) != value for name, value in mine.items()):
            raise Fault("the footer does not fit the lines before it")
        if footer.get("reason") not in ("rotated", "stopped", "recovered"):
            raise Fault("the footer has no reason")
        if not is_line_signed_by(self.key, line):
            raise Fault("the footer is not signed by the segment's key")
        self.footer = footer

    @staticmethod
    def has_intact_line(file):
        """A crash tears the end only: an intact line behind the fault is proof of interference."""
        return any(is_intact(line[:-1]) for line in iter(lambda: file.readline(MAX_LINE), b"") if line.endswith(b"\n"))


class Trust:
    """What the auditor brings along."""

    def __init__(self, options):
        self.local_only = options.local_only
        self.notes, self.findings = [], []
        for file in options.checkpoint:
            try:
                self.notes.append((file, Note(read_text(file))))
            except ValueError:
                self.findings.append({"verdict": "incomplete", "file": file, "reason": "it is no checkpoint"})
        self.fingerprints = [word for word in options.key if re.fullmatch("sha256:[0-9a-f]{64}", word)]
        files = [word for word in options.key if word not in self.fingerprints]
        self.roots = [key for file in files for key in keys_in(file) if key[0].endswith("/root") and key[1] == 1]
        self.witnesses = [(name, key) for file in options.witness_key for name, kind, key in keys_in(file) if kind == 4]
        self.any_root = not options.key

    def knows_root(self, chain, key):
        named = (f"gatehouse/audit/{chain}/root", 1, key)
        return self.any_root or named in self.roots or f"sha256:{sha256(key).hex()}" in self.fingerprints


def worst(findings):
    return max((finding["verdict"] for finding in findings), key=VERDICTS.index, default="ok")


def segments_in(directory):
    found = ((SEGMENT.fullmatch(name), name) for name in sorted(os.listdir(directory)))
    return [Segment(os.path.join(directory, name), m[1], int(m[2]), int(m[3])) for m, name in found if m]


def is_running(directory):
    for name in os.listdir(directory):
        found = OWNER.fullmatch(name)
        if found is None:
            continue
        try:
            with open(f"/proc/{found[1]}/stat", encoding="latin-1") as file:
                # The second field, the command, is in parentheses and may itself contain blanks.
                fields = file.read().rpartition(") ")[2].split(" ")
        except OSError:
            continue
        if fields[0] not in "ZX" and fields[19] == found[2]:
            return True
    return False


def chains_in(directories, trust):
    groups, running = {}, set()
    for directory in directories:
        below = sorted(entry.path for entry in os.scandir(directory) if entry.is_dir())
        for place in [directory] if segments_in(directory) else below or [directory]:
            owned, segments = is_running(place), segments_in(place)
            name = segments[0].chain if segments else None
            if name is None:
                trust.findings.append({"verdict": "truncated", "file": place, "reason": "there are no segments"})
                continue
            group = groups.setdefault(name, {})
            for segment in segments:
                group.setdefault(segment.file, segment)
            if owned:
                running.add(name)
    return [Chain(name, [files[f] for f in sorted(files)], name in running, trust) for name, files in groups.items()]


def missing_siblings(chains):
    """Each chain names those of the other replicas."""
    here = {f"gatehouse/audit/{chain.name}": chain for chain in chains}
    found = {}
    for chain in chains:
        for origin, size in chain.siblings.items():
            sibling = here.get(origin)
            if sibling is None:
                found[origin] = ("incomplete", f"{chain.name} names {origin}, which is not there")
            elif sibling.seq < size and not sibling.running:
                found[origin] = ("truncated", f"{chain.name} says that it reached {size} lines, and there are {sibling.seq}")
    return [{"verdict": verdict, "file": origin, "reason": reason} for origin, (verdict, reason) in found.items()]


def understand(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.error = lambda problem: (_ for _ in ()).throw(Unreadable(f"{problem}; see --help"))
    parser.add_argument("directory", nargs="+")
    for name in ("--checkpoint", "--key", "--witness-key"):
        parser.add_argument(name, action="append", default=[])
    parser.add_argument("--local-only", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if bool(options.checkpoint) == options.local_only:
        raise Unreadable("give --checkpoint from another host, or say --local-only")
    return options


def main(arguments):
    try:
        options = understand(arguments)
        refuse_weak_openssl()
        trust = Trust(options)
        chains = chains_in(options.directory, trust)
        for chain in chains:
            chain.verify()
    except (Unreadable, OSError) as error:
        print(f"verify_audit: {error}", file=sys.stderr)
        return 4
    names = {f"gatehouse/audit/{chain.name}" for chain in chains}
    for file, note in trust.notes:
        if note.origin not in names:
            trust.findings.append({"verdict": "incomplete", "file": file, "reason": f"{note.origin} is not there"})
    trust.findings.extend(missing_siblings(chains))
    reports = [chain.report() for chain in chains]
    findings = trust.findings + [finding for report in reports for finding in report["findings"]]
    verdict = worst(findings)
    if options.json:
        print(json.dumps({"verdict": verdict, "findings": trust.findings, "chains": reports}, indent=2))
    else:
        for report in reports:
            state = " (being written)" if report["running"] else ""
            print(f"chain {report['chain']}{state}: {report['segments']} segments, {report['records']} lines,")
            print(f"  up to {report['lastSeq']}, head {report['head']}")
        for finding in findings:
            place = ", ".join(f"{name} {finding[name]}" for name in ("line", "seq") if name in finding)
            print(f"! {finding['verdict']}: {finding['file']}{' ' if place else ''}{place}: {finding['reason']}")
        print(f"verdict: {verdict}")
    return EXIT_CODES[verdict]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
