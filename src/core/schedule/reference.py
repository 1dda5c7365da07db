"""Writes reference.json: a year of runs of cron expressions in many time zones, as other programs have them.

    pip install crondst==1.0.3 cronsim==2.8 tzdata==2025.2
    PYTHONTZPATH= python3 reference.py > reference.json            # two minutes
    PYTHONTZPATH= python3 reference.py Europe/Berlin "30 2 * * *"  # prints the runs of one case, to find what differs

Fixed times (minute and hour are numbers or lists) are those of cronsim, which follows Debian's cron. A rhythm (`*`, ranges, steps)
is each instant of the year whose local time matches: cronsim finds the matches among local times, zoneinfo the instants.
crondst, another program, must have the same runs. Where it is not asked,
`differs` says why; any other difference ends this script with an error. A name such as `@daily` is read as its five fields, because neither program knows names.
"""

import datetime
import hashlib
import json
import sys
from zoneinfo import ZoneInfo

from crondst import CronDst
from cronsim import CronSim

UTC = datetime.timezone.utc
DAY = 86_400
# Each zone with the first month of its year. America/Sao_Paulo, Asia/Tehran and Asia/Gaza changed their clocks at midnight,
# America/Havana and America/Santiago do. Asia/Kathmandu went on by 15 minutes on 1986-01-01, Pacific/Apia skipped 2011-12-30,
# Australia/Lord_Howe changes by half an hour, Pacific/Chatham at a quarter to, Africa/Casablanca around Ramadan.
ZONES = {
    "Europe/Berlin": (2024, 1), "America/New_York": (2024, 1), "America/Sao_Paulo": (2018, 1), "America/Santiago": (2024, 1),
    "America/St_Johns": (2024, 1), "America/Havana": (2024, 1), "Africa/Casablanca": (2024, 1), "Africa/Cairo": (2024, 1),
    "Asia/Tehran": (2022, 1), "Asia/Gaza": (2024, 1), "Asia/Kathmandu": (1985, 7), "Asia/Kolkata": (2024, 1),
    "Australia/Lord_Howe": (2024, 1), "Pacific/Auckland": (2024, 1), "Pacific/Chatham": (2024, 1), "Pacific/Apia": (2011, 7),
    "UTC": (2024, 1),
}
NAMES = {
    "@yearly": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@hourly": "0 * * * *",
}
FIXED = [
    "30 2 * * *", "0 9 * * 1-5", "0,30 2 * * *", "15 1 * * *", "30 0 * * *", "0 2,3 * * *", "45 1,2,3 * * 0", "0 3 13 * 5",
    "0 3 */2 * 1", "10 4 1-7 * */2", "0 12 29 2 *", "59 23 31 12 *", "0 6 * jan,jul mon", "5 0,23 * * *", "0 12 * * 7",
    "@yearly", "@monthly", "@weekly", "@daily",
]
RHYTHM = [
    "*/15 * * * *", "30 */2 * * *", "5,35 */3 * * *", "*/20 1 * * *", "*/5 2 * * *", "7 */5 * * 0,6", "0 */7 */3 * *",
    "*/10 0,23 * * 6,7", "*/30 * 1,15 * 5", "0 1-3 * * *", "0-30/15 2 * * *", "*/15 8-18 * * 1-5", "@hourly",
    # Six fields, with seconds first.
    "30 0 * * * *", "*/20 15 1-2 * * *", "0,30 */30 0 * * 0",
]


def differs(zone, text):
    """Why crondst is not asked: it cannot answer, or has another rule than Frontdesk."""
    fields = NAMES.get(text, text).split()
    if len(fields) == 6:
        return "it knows no seconds"
    if zone == "Pacific/Chatham":
        return "it expects that clocks change at full hours, and never ends where they do not"
    if text in RHYTHM and "*" not in fields[0] + fields[1]:
        return "it takes ranges for fixed times, as Vixie cron does; Frontdesk takes them for a rhythm"
    if zone == "Pacific/Apia" and text in FIXED:
        return "it moves the runs of the skipped date to the day after; Frontdesk leaves them out, as Vixie cron does"
    return None


def matches(text, begin, end):
    """The local times that match, from two days before the year to two days after it."""
    until = datetime.datetime.fromtimestamp(end + 2 * DAY, UTC)
    for time in CronSim(text, datetime.datetime.fromtimestamp(begin - 2 * DAY, UTC)):
        if time > until:
            return
        yield time.replace(tzinfo=None)


def instants(local, zone):
    """The instants that show a local time."""
    for fold in (0, 1):
        instant = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == local:
            yield int(instant.timestamp())


def by_cronsim(text, zone, begin, end):
    """Fixed times. cronsim moves those of a skipped date to the next midnight, where they are taken away again."""
    start = datetime.datetime.fromtimestamp(begin, UTC).astimezone(zone)
    wanted = set(matches(text, begin, end))
    for time in CronSim(text, start):
        at = int(time.timestamp())
        if at > end:
            return
        before = datetime.datetime.fromtimestamp(at - 1, zone)
        shown = datetime.datetime.fromtimestamp(at, zone)
        skipped_a_date = (shown.date() - before.date()).days > 1
        if not skipped_a_date or shown.replace(tzinfo=None) in wanted:
            yield at


def reference(text, zone, begin, end):
    fields = NAMES.get(text, text)
    if text in FIXED:
        return sorted(set(by_cronsim(fields, zone, begin, end)))
    found = {at for local in matches(fields, begin, end) for at in instants(local, zone)}
    return sorted(at for at in found if begin < at <= end)


def by_crondst(text, zone, begin, end):
    for time in CronDst(NAMES.get(text, text)).iter(datetime.datetime.fromtimestamp(begin, UTC).astimezone(zone)):
        if time.timestamp() > end:
            return
        yield int(time.timestamp())


def span(zone):
    year, month = ZONES[zone]
    return [int(datetime.datetime(year + n, month, 1, tzinfo=UTC).timestamp()) for n in (0, 1)]


def case(name, text):
    zone, (begin, end) = ZoneInfo(name), span(name)
    found = reference(text, zone, begin, end)
    if differs(name, text) is None:
        other = sorted(set(by_crondst(text, zone, begin, end)))
        if other != found:
            sys.exit(f"crondst has other runs of {text} in {name}: {sorted(set(other) ^ set(found))[:9]}")
    return found


def main():
    if len(sys.argv) == 3:
        for at in case(*sys.argv[1:]):
            print(at, datetime.datetime.fromtimestamp(at, ZoneInfo(sys.argv[1])).isoformat())
        return
    zones = []
    for name in ZONES:
        begin, end = span(name)
        lines = []
        for text in FIXED + RHYTHM:
            found = case(name, text)
            digest = hashlib.sha256(" ".join(map(str, found)).encode()).hexdigest()[:16]
            lines.append(f"    {json.dumps(text)}: [{len(found)}, \"{digest}\"]")
        head = f'  {{"zone": "{name}", "begin": {begin}, "end": {end}, "runs": {{\n'
        zones.append(head + ",\n".join(lines) + "\n  }}")
    print("[\n" + ",\n".join(zones) + "\n]")


main()
