"""authentication and auth_hmac of a vrrp_instance.

PURE; data only.
"""

from __future__ import annotations

from hanode.conf.language.kinds_keys import KEY, NUMBER
from hanode.conf.language.schema import block, word
from hanode.conf.language.values import Choice, Int, Word

BLOCKS = (
    block(
        "authentication",
        (
            word(
                "auth_type",
                Choice(("PASS", "AH")),
                "PASS: a word in clear text; AH: a checksum.",
                field="auth_type",
                engine="runs",
            ),
            word(
                "auth_pass",
                Word("a word"),
                "The shared word; only 8 bytes are sent.",
                field="auth_pass",
                secret=True,
                engine="runs",
            ),
        ),
    ),
    block(
        "auth_hmac",
        (
            word(
                "key",
                KEY,
                "A key and its number; the key is text, hex:… or file:….",
                secret=True,
                repeats=True,
                since="2.4.0",
                engine="runs",
            ),
            word(
                "active_key",
                NUMBER,
                "The key to sign with; without it nothing is signed.",
                since="2.4.0",
                engine="runs",
            ),
            word(
                "anti_replay",
                Choice(("time", "monotonic")),
                "What an advert must be: of this moment, or only newer than the sender's last.",
                default="time",
                since="2.4.0",
                engine="runs",
            ),
            word(
                "time_window",
                Int(1, 300),
                "Seconds that clocks may differ (anti_replay time).",
                default="3 × advert_int, at least 5, at most 300",
                since="2.4.0",
                engine="runs",
            ),
            word(
                "mode",
                Choice(("enforce", "permissive", "receive-only")),
                "Sign and take signed adverts; sign and take both; take both and do not sign.",
                default="enforce",
                since="2.4.0",
                before=("2.4.2", Choice(("enforce", "permissive"))),
                engine="runs",
            ),
        ),
    ),
)
