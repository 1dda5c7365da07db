"""Writes reference.json: a year of runs of cron expressions in ten time zones, by another implementation of Vixie cron's rules.

    pip install crondst==1.0.3 tzdata==2025.2
    PYTHONTZPATH= python3 reference.py > reference.json

Expressions with a range of minutes or hours are not among them: crondst takes those for fixed times, Frontdesk does not.
Nor is Pacific/Chatham, whose clocks change at a quarter to: crondst never ends there.
"""

import datetime
import hashlib
import json
from zoneinfo import ZoneInfo

from crondst import CronDst

ZONES = [
    "Europe/Berlin", "America/New_York", "America/Havana", "America/St_Johns", "America/Santiago",
    "Africa/Cairo", "Africa/Casablanca", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Auckland",
]
EXPRESSIONS = [
    "30 2 * * *", "0 9 * * 1-5", "0,30 2 * * *", "15 1 * * *", "0 0 * * *", "30 0 * * *", "0 0 1 * *", "0 2,3 * * *",
    "45 1,2,3 * * 0", "0 3 13 * 5", "0 3 */2 * 1", "10 4 1-7 * */2", "0 12 29 2 *", "59 23 31 12 *", "0 6 * jan,jul mon",
    "*/15 * * * *", "0 * * * *", "30 */2 * * *", "5,35 * * * *", "*/20 1 * * *", "* 2 * * *", "7 */5 * * 0,6", "0 */7 */3 * *",
]
BEGIN = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
END = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def runs(expression, zone):
    """The runs after BEGIN and not after END, in seconds since 1970."""
    for run in CronDst(expression).iter(BEGIN.astimezone(ZoneInfo(zone))):
        if run.astimezone(datetime.timezone.utc) > END:
            return
        yield int(run.timestamp())


cases = []
for zone in ZONES:
    for expression in EXPRESSIONS:
        found = list(runs(expression, zone))
        digest = hashlib.sha256(" ".join(map(str, found)).encode()).hexdigest()[:16]
        cases.append({"zone": zone, "cron": expression, "runs": len(found), "sha256": digest})
print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")
