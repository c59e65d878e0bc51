"""Who may do what: every route of both applications, and how it answers each caller.

A new route needs a row here (and a body in bodies.py when it takes one), or test_matrix.py fails.

    nobody    no token                            patient   a doctor, the object is their patient's
    device    the device the object came from     stranger  a doctor, it is not their patient's
    own       a user, the object is theirs        admin     an admin, about anyone's object
    other     a user, it is somebody else's

    200 …     that status                         none      200, and nothing is in the list
    ·         the route is about no object        open, 44xx  a WebSocket: it is open, it is closed with that code
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CALLERS: Final = ("nobody", "device", "own", "other", "patient", "stranger", "admin")

TABLE: Final = """
                                                     nobody device  own  other patient stranger admin
GET    auth/me                                          401    401  200      ·     200        ·   200
POST   auth/register                                    201    201  201      ·     201        ·   201
POST   auth/login                                       200    200  200      ·     200        ·   200
POST   auth/refresh-token                               200    200  200      ·     200        ·   200
POST   auth/logout                                      401    401  204      ·     204        ·   204
PUT    auth/update-profile                              401    401  200      ·     200        ·   200
POST   auth/change-password                             401    401  204      ·     204        ·   204

GET    users                                            401    401  403      ·     403        ·   200
POST   users                                            401    401  403      ·     403        ·   201
GET    users/{user_id}                                  401    401  200    404     200      404   200
PUT    users/{user_id}                                  401    401  200    404     403      404   200
DELETE users/{user_id}                                  401    401  403    403     403      403   204
GET    users/{user_id}/doctors                          401    401  200    404     200      404   200
GET    users/{user_id}/patients                         401    401  200    404     200      404   200
PUT    users/{user_id}/doctors/{doctor_id}              401    401  403    403     403      403   200
DELETE users/{user_id}/doctors/{doctor_id}              401    401  403    403     403      403   204
GET    users/{user_id}/devices                          401    401  200    404     200      404   200
GET    users/{user_id}/reports                          401    401  200    404     200      404   200
GET    users/{user_id}/metrics                          401    401  200    404     200      404   200
GET    users/{user_id}/alarm-limits                     401    401  200    404     200      404   200
PUT    users/{user_id}/alarm-limits                     401    401  403    403     200      404   200
DELETE users/{user_id}/alarm-limits                     401    401  403    403     204      404   204

GET    devices                                          401    401  200      ·     200        ·   200
GET    devices?user_id={user_id}                        401    401  200   none     200     none   200
GET    devices/live                                     401    401  200      ·     200        ·   200
POST   devices                                          401    401  201      ·     201        ·   201
GET    devices/{device_id}                              401    401  200    404     200      404   200
GET    devices/{device_id}/reports                      401    401  200    404     200      404   200
PUT    devices/{device_id}                              401    401  200    404     403      404   200
DELETE devices/{device_id}                              401    401  204    404     403      404   204
POST   devices/{device_id}/token                        401    401  200    404     403      404   200
DELETE devices/{device_id}/token                        401    401  204    404     403      404   204

POST   ecg/samples                                      401    202  401      ·     401        ·   401
WS     ecg/samples                                      401   open  401      ·     401        ·   401
WS     /ws/ecg/{user_id}                               4401   4401 open   4403    open     4403  open
GET    ecg/samples?recording_id={recording_id}          401    401  200    404     200      404   200
GET    ecg/recordings?device_id={device_id}             401    401  200   none     200     none   200
GET    ecg/recordings/{recording_id}                    401    401  200    404     200      404   200
GET    ecg/beats?device_id={device_id}                  401    401  200   none     200     none   200
GET    ecg/beats?recording_id={recording_id}            401    401  200   none     200     none   200
GET    ecg/beats/burden?device_id={device_id}&start=2026-01-01T00:00Z&end=2026-01-02T00:00Z \
                                                        401    401  200   none     200     none   200
GET    ecg/beats/burden/daily?device_id={device_id}&start=2026-01-01T00:00Z&end=2026-01-02T00:00Z \
                                                        401    401  200   none     200     none   200
GET    ecg/rhythms?device_id={device_id}                401    401  200   none     200     none   200
GET    ecg/hrv?device_id={device_id}                    401    401  200   none     200     none   200

POST   ecg/metrics                                      401    201  201    404     201      404   201
GET    ecg/metrics                                      401    401  200      ·     200        ·   200
GET    ecg/metrics?user_id={user_id}                    401    401  200   none     200     none   200
GET    ecg/metrics?device_id={device_id}                401    401  200   none     200     none   200
GET    ecg/metrics/latest?user_id={user_id}             401    401  200   none     200     none   200
GET    ecg/metrics/trend?device_id={device_id}&start=2026-01-01T00:00Z&end=2026-01-02T00:00Z \
                                                        401    401  200   none     200     none   200
GET    ecg/metrics/percentiles?device_id={device_id}&start=2026-01-01T00:00Z&end=2026-01-02T00:00Z \
                                                        401    401  200   none     200     none   200
GET    ecg/metrics/{metric_id}                          401    401  200    404     200      404   200

GET    ecg/alarms                                       401    401  200      ·     200        ·   200
GET    ecg/alarms?user_id={user_id}                     401    401  200   none     200     none   200
GET    ecg/alarms/{alarm_id}                            401    401  200    404     200      404   200
POST   ecg/alarms/{alarm_id}/acknowledge                401    401  403    403     200      404   200

POST   ecg/reports                                      401    401  202    404     202      404   202
GET    ecg/reports                                      401    401  200      ·     200        ·   200
GET    ecg/reports?user_id={user_id}                    401    401  200   none     200     none   200
GET    ecg/reports/{report_id}                          401    401  200    404     200      404   200
GET    ecg/reports/{report_id}/download                 401    401  200    404     200      404   200
GET    ecg/reports/{report_id}/url                      401    401  200    404     200      404   200
POST   ecg/reports/upload                               401    401  201    404     201      404   201
DELETE ecg/reports/{report_id}                          401    401  204    404     403      404   204
DELETE admin/reports/{report_id}                        401    401  403    403     403      403   204

GET    admin/users                                      401    401  403      ·     403        ·   200
GET    admin/users/{user_id}                            401    401  403    403     403      403   200
PUT    admin/users/{user_id}                            401    401  403    403     403      403   200
DELETE admin/users/{user_id}                            401    401  403    403     403      403   204
GET    admin/reports                                    401    401  403      ·     403        ·   200
GET    admin/reports/{report_id}                        401    401  403    403     403      403   200
GET    admin/stats                                      401    401  403      ·     403        ·   200
GET    admin/stats/users                                401    401  403      ·     403        ·   200
GET    admin/stats/devices                              401    401  403      ·     403        ·   200
GET    admin/stats/reports                              401    401  403      ·     403        ·   200
GET    admin/analytics/overview                         401    401  403      ·     403        ·   200
GET    admin/analytics/users                            401    401  403      ·     403        ·   200
GET    admin/analytics/devices                          401    401  403      ·     403        ·   200
GET    admin/analytics/reports                          401    401  403      ·     403        ·   200
GET    admin/audit                                      401    401  403      ·     403        ·   200

POST   cloud/upload                                     401    401  201    404     201      404   201
GET    cloud/files                                      401    401  200      ·     200        ·   200
GET    cloud/files?user_id={user_id}                    401    401  200   none     200     none   200
GET    cloud/files/{file_id}/url                        401    401  200    404     200      404   200
DELETE cloud/files/{file_id}                            401    401  204    404     403      404   204
POST   users/{user_id}/signup                           401    401  200    404     403      404   200

GET    files/{key}?expires=1&signature=x                403    403  403      ·     403        ·   403
GET    /health                                          200    200  200      ·     200        ·   200
GET    /ready                                           200    200  200      ·     200        ·   200
GET    /metrics                                         200    200  200      ·     200        ·   200
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    method: str
    target: str
    cells: dict[str, str]

    @property
    def key(self) -> str:
        """The route it is about."""
        return f"{self.method} {self.target.partition('?')[0]}"

    @property
    def is_about_an_object(self) -> bool:
        return self.cells["other"] != "·"

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


def rows() -> list[Row]:
    """The table, line by line."""
    lines = TABLE.replace("\\\n", "").strip().splitlines()[1:]
    return [_row(line.split()) for line in lines if line.strip()]


def _row(words: list[str]) -> Row:
    method, target, *cells = words
    return Row(method, target, dict(zip(CALLERS, cells, strict=True)))
