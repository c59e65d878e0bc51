"""The peer: the same lists by plain FastAPI handlers and SQLAlchemy's ORM, as they are written in an afternoon."""

# Select, order by, limit and offset, and a count; a pool of 20 with 40 more; each caller's token is verified and the
# user fetched by it, and what they may see is a condition on user_id. Run by uvicorn in the peers' environment with
# PEER_DATABASE_URL and PEER_SECRET_KEY.

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, create_model
from sqlalchemy import Select, case, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from bench.api.peer_models import Alarm, Base, Beat, Care, Device, Hrv, Metric, Recording, Report, Rhythm, User

engine = create_async_engine(os.environ["PEER_DATABASE_URL"], pool_size=20, max_overflow=40)
Sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI(title="The peer")
API = "/api/v1"


def shown(model: type[Base]) -> Any:
    """A pydantic model with the table's columns."""
    columns: dict[str, Any] = {}
    for column in model.__table__.c:
        kind = column.type.python_type
        columns[column.name] = (kind | None if column.nullable else kind, ...)
    return create_model(f"{model.__name__}Out", __config__=ConfigDict(from_attributes=True), **columns)


def page_of(model: type[Base]) -> Any:
    """A page of them."""
    counts: dict[str, Any] = dict.fromkeys(("page", "limit", "total"), (int, ...))
    return create_model(f"{model.__name__}Page", items=(_list_of(shown(model)), ...), **counts)


def _list_of(model: Any) -> Any:
    return list[model]


async def session() -> AsyncIterator[AsyncSession]:
    async with Sessions() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session)]


async def current_user(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())], session: Session
) -> User:
    try:
        claims = jwt.decode(credentials.credentials, os.environ["PEER_SECRET_KEY"], algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    user: User | None = await session.get(User, UUID(claims["sub"]))
    if user is None:
        raise HTTPException(401)
    return user


async def admin(user: Annotated[User, Depends(current_user)]) -> User:
    if user.role != "admin":
        raise HTTPException(403)
    return user


Caller = Annotated[User, Depends(current_user)]
Admin = Annotated[User, Depends(admin)]
Page = Annotated[int, Query(ge=1)]
Limit = Annotated[int, Query(ge=1, le=500)]


def visible(column: Any, user: User) -> Any:
    """The condition on a row's user."""
    if user.role == "admin":
        return true()
    if user.role == "doctor":
        patients = select(Care.patient_id).where(Care.doctor_id == user.user_id, Care.ended_at.is_(None))
        return or_(column == user.user_id, column.in_(patients))
    return column == user.user_id


async def paged(session: AsyncSession, query: Select[Any], order: tuple[Any, ...], page: int, limit: int) -> Any:
    total = await session.scalar(select(func.count()).select_from(query.subquery()))
    items = (await session.scalars(query.order_by(*order).limit(limit).offset((page - 1) * limit))).all()
    return {"items": items, "page": page, "limit": limit, "total": total}


async def one(session: AsyncSession, query: Select[Any]) -> Any:
    found = (await session.scalars(query)).first()
    if found is None:
        raise HTTPException(404)
    return found


NEWEST_METRIC = (Metric.recorded_at.desc(), Metric.device_id)
NEWEST_REPORT = (Report.created_at.desc(), Report.report_id)
BY_NAME = (func.lower(User.username),)


@app.get(f"{API}/users", response_model=page_of(User))
@app.get(f"{API}/admin/users", response_model=page_of(User))
async def users(_: Admin, session: Session, page: Page = 1, limit: Limit = 50) -> Any:
    return await paged(session, select(User), BY_NAME, page, limit)


@app.get(f"{API}/users/{{user_id}}", response_model=shown(User))
async def user(user_id: UUID, caller: Caller, session: Session) -> Any:
    return await one(session, select(User).where(User.user_id == user_id, visible(User.user_id, caller)))


@app.get(f"{API}/users/{{user_id}}/devices", response_model=page_of(Device))
async def user_devices(user_id: UUID, caller: Caller, session: Session, page: Page = 1, limit: Limit = 50) -> Any:
    await user(user_id, caller, session)
    query = select(Device).where(Device.user_id == user_id, visible(Device.user_id, caller))
    return await paged(session, query, (Device.registered_at, Device.device_id), page, limit)


@app.get(f"{API}/users/{{user_id}}/reports", response_model=page_of(Report))
async def user_reports(user_id: UUID, caller: Caller, session: Session, page: Page = 1, limit: Limit = 50) -> Any:
    await user(user_id, caller, session)
    query = select(Report).where(Report.user_id == user_id, visible(Report.user_id, caller))
    return await paged(session, query, NEWEST_REPORT, page, limit)


@app.get(f"{API}/users/{{user_id}}/metrics", response_model=page_of(Metric))
async def user_metrics(user_id: UUID, caller: Caller, session: Session, page: Page = 1, limit: Limit = 50) -> Any:
    await user(user_id, caller, session)
    query = select(Metric).where(Metric.user_id == user_id, visible(Metric.user_id, caller))
    return await paged(session, query, NEWEST_METRIC, page, limit)


@app.get(f"{API}/devices", response_model=page_of(Device))
async def devices(
    caller: Caller, session: Session, page: Page = 1, limit: Limit = 50, user_id: UUID | None = None
) -> Any:
    query = narrowed(select(Device).where(visible(Device.user_id, caller)), Device, user_id=user_id)
    return await paged(session, query, (Device.registered_at, Device.device_id), page, limit)


@app.get(f"{API}/devices/{{device_id}}", response_model=shown(Device))
async def device(device_id: UUID, caller: Caller, session: Session) -> Any:
    return await one(session, select(Device).where(Device.device_id == device_id, visible(Device.user_id, caller)))


@app.get(f"{API}/devices/{{device_id}}/reports", response_model=page_of(Report))
async def device_reports(device_id: UUID, caller: Caller, session: Session, page: Page = 1, limit: Limit = 50) -> Any:
    await device(device_id, caller, session)
    query = select(Report).where(Report.device_id == device_id, visible(Report.user_id, caller))
    return await paged(session, query, NEWEST_REPORT, page, limit)


def narrowed(query: Select[Any], model: Any, **wanted: object) -> Select[Any]:
    for name, value in wanted.items():
        if value is not None:
            query = query.where(getattr(model, name) == value)
    return query


@app.get(f"{API}/ecg/metrics", response_model=page_of(Metric))
async def metrics(
    caller: Caller,
    session: Session,
    page: Page = 1,
    limit: Limit = 50,
    user_id: UUID | None = None,
    device_id: UUID | None = None,
    arrhythmia_type: str | None = None,
) -> Any:
    query = select(Metric).where(visible(Metric.user_id, caller))
    query = narrowed(query, Metric, user_id=user_id, device_id=device_id, arrhythmia_type=arrhythmia_type)
    return await paged(session, query, NEWEST_METRIC, page, limit)


MetricOut: Any = shown(Metric)


class Latest(BaseModel):
    """The newest of each device."""

    items: list[MetricOut]


@app.get(f"{API}/ecg/metrics/latest", response_model=Latest)
async def latest(caller: Caller, session: Session, user_id: UUID | None = None, device_id: UUID | None = None) -> Any:
    query = select(Metric).where(visible(Metric.user_id, caller)).distinct(Metric.device_id)
    query = narrowed(query, Metric, user_id=user_id, device_id=device_id)
    if user_id is None and device_id is None:
        query = query.where(Metric.recorded_at >= datetime.now(UTC) - timedelta(seconds=60))
    found = (await session.scalars(query.order_by(Metric.device_id, Metric.recorded_at.desc()))).all()
    return {"items": sorted(found, key=lambda metric: metric.recorded_at, reverse=True)}


@app.get(f"{API}/ecg/metrics/{{metric_id}}", response_model=shown(Metric))
async def metric(metric_id: UUID, caller: Caller, session: Session) -> Any:
    return await one(session, select(Metric).where(Metric.metric_id == metric_id, visible(Metric.user_id, caller)))


@app.get(f"{API}/ecg/reports", response_model=page_of(Report))
@app.get(f"{API}/admin/reports", response_model=page_of(Report))
async def reports(
    caller: Caller,
    session: Session,
    page: Page = 1,
    limit: Limit = 50,
    user_id: UUID | None = None,
    device_id: UUID | None = None,
) -> Any:
    query = select(Report).where(visible(Report.user_id, caller))
    query = narrowed(query, Report, user_id=user_id, device_id=device_id)
    return await paged(session, query, NEWEST_REPORT, page, limit)


@app.get(f"{API}/ecg/reports/{{report_id}}", response_model=shown(Report))
async def report(report_id: UUID, caller: Caller, session: Session) -> Any:
    return await one(session, select(Report).where(Report.report_id == report_id, visible(Report.user_id, caller)))


def of_recordings(model: Any, device_id: UUID, caller: User) -> Select[Any]:
    """Rows of a device whose recording is of somebody the caller may see."""
    query = select(model).join(Recording, Recording.recording_id == model.recording_id)
    return query.where(model.device_id == device_id, visible(Recording.user_id, caller))


@app.get(f"{API}/ecg/beats", response_model=page_of(Beat))
async def beats(device_id: UUID, caller: Caller, session: Session, page: Page = 1, limit: Limit = 50) -> Any:
    order = (Beat.beat_at, Beat.recording_id, Beat.r_index)
    return await paged(session, of_recordings(Beat, device_id, caller), order, page, limit)


@app.get(f"{API}/ecg/rhythms", response_model=page_of(Rhythm))
async def rhythms(device_id: UUID, caller: Caller, session: Session, page: Page = 1, limit: Limit = 50) -> Any:
    order = (Rhythm.started_at, Rhythm.recording_id, Rhythm.first_r_index, Rhythm.label)
    return await paged(session, of_recordings(Rhythm, device_id, caller), order, page, limit)


@app.get(f"{API}/ecg/recordings", response_model=page_of(Recording))
async def recordings(device_id: UUID, caller: Caller, session: Session, page: Page = 1, limit: Limit = 50) -> Any:
    query = select(Recording).where(Recording.device_id == device_id, visible(Recording.user_id, caller))
    return await paged(session, query, (Recording.started_at, Recording.recording_id), page, limit)


@app.get(f"{API}/ecg/hrv", response_model=page_of(Hrv))
async def hrv(device_id: UUID, caller: Caller, session: Session, page: Page = 1, limit: Limit = 50) -> Any:
    query = select(Hrv).where(Hrv.device_id == device_id, visible(Hrv.user_id, caller))
    return await paged(session, query, (Hrv.stretch_start.desc(),), page, limit)


@app.get(f"{API}/ecg/alarms", response_model=page_of(Alarm))
async def alarms(
    caller: Caller, session: Session, page: Page = 1, limit: Limit = 50, user_id: UUID | None = None
) -> Any:
    urgency = case((Alarm.priority == "high", 1), (Alarm.priority == "medium", 2), else_=3)
    query = narrowed(select(Alarm).where(visible(Alarm.user_id, caller)), Alarm, user_id=user_id)
    return await paged(session, query, (urgency, Alarm.raised_at.desc(), Alarm.alarm_id), page, limit)
