"""Notifications are taken apart as asyncua takes them apart, only faster."""

import struct
from datetime import UTC, datetime
from uuid import UUID

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_to_binary
from edge_agent_opcua.notification import Said, parse
from edge_agent_opcua.values import milliseconds
from hypothesis import given, settings
from hypothesis import strategies as st

KINDS = ua.VariantType
UNIX_EPOCH = 116_444_736_000_000_000
NUMBERS = {
    KINDS.SByte: (-128, 127),
    KINDS.Byte: (0, 255),
    KINDS.Int16: (-(2**15), 2**15 - 1),
    KINDS.UInt16: (0, 2**16 - 1),
    KINDS.Int32: (-(2**31), 2**31 - 1),
    KINDS.UInt32: (0, 2**32 - 1),
    KINDS.Int64: (-(2**63), 2**63 - 1),
    KINDS.UInt64: (0, 2**64 - 1),
}
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them so


def scalars():
    numbers = [
        st.integers(*bounds).map(lambda value, kind=kind: ua.Variant(value, kind))
        for kind, bounds in NUMBERS.items()
    ]
    others = [
        st.booleans().map(ua.Variant),
        st.floats(allow_nan=False).map(ua.Variant),
        st.floats(allow_nan=False, width=32).map(lambda v: ua.Variant(v, KINDS.Float)),
        st.text(max_size=9).map(lambda v: ua.Variant(v, KINDS.String)),
        TIMES.map(lambda v: ua.Variant(v, KINDS.DateTime)),
        st.lists(st.floats(allow_nan=False), min_size=1, max_size=4).map(
            lambda v: ua.Variant(v, KINDS.Double)
        ),
        st.just(ua.Variant(UUID(int=7), KINDS.Guid)),
        st.just(ua.Variant(b"\x00\xff", KINDS.ByteString)),
    ]
    return st.one_of(*numbers, *others)


values = st.builds(
    ua.DataValue,
    st.none() | scalars(),
    st.none() | st.sampled_from([0, 0x80340000, 0x408F0000, 0x00960000]).map(ua.StatusCode),
    SourceTimestamp=st.none() | TIMES,
    ServerTimestamp=st.none() | TIMES,
)


def answer(*data, subscription=7, sequence=3):
    response = ua.PublishResponse()
    response.Parameters.SubscriptionId = subscription
    response.Parameters.AvailableSequenceNumbers = [1, 2, 3]
    response.Parameters.NotificationMessage.SequenceNumber = sequence
    response.Parameters.NotificationMessage.NotificationData = list(data)
    response.Parameters.Results = [ua.StatusCode()]
    return Buffer(struct_to_binary(response))


def items(said):
    return ua.DataChangeNotification(
        MonitoredItems=[
            ua.MonitoredItemNotification(ClientHandle=handle, Value=value)
            for handle, value in enumerate(said)
        ]
    )


@settings(max_examples=30)
@given(st.lists(values, max_size=4))
def test_every_value_is_what_was_sent(said):
    found = parse(answer(items(said)))
    assert (found.subscription, found.sequence, found.has_news) == (7, 3, True)
    assert found.changes == [
        (
            handle,
            Said(
                value.Value.Value if value.Value else None,
                value.StatusCode.value if value.StatusCode else 0,
                milliseconds(value.SourceTimestamp),
                milliseconds(value.ServerTimestamp),
            ),
        )
        for handle, value in enumerate(said)
    ]


def test_a_time_that_is_none_is_none():
    [(_, said)] = parse(
        answer(items([ua.DataValue(ua.Variant(1.0), SourceTimestamp=datetime(1601, 1, 1))]))  # noqa: DTZ001 - as asyncua gives it
    ).changes
    assert said.source is None


@pytest.mark.parametrize("text", [False, True])
def test_picoseconds_stand_behind_the_time_they_belong_to(text):
    """By hand: asyncua 2.1 writes them behind both times, other than OPC 10000-6, 5.2.2.17 says."""
    value = b"\x0c\x02\x00\x00\x00hi" if text else struct.pack("<Bd", 11, 2.5)
    seconds = [(UNIX_EPOCH + number * 10_000_000) for number in (5, 6)]
    one = struct.pack("<IB", 9, 0x3D) + value + struct.pack("<qHqH", seconds[0], 17, seconds[1], 18)
    [plain] = items([ua.DataValue()]).MonitoredItems
    whole, old = bytes(answer(items([ua.DataValue()]))), struct_to_binary(plain)
    start = whole.rindex(struct.pack("<i", 1) + old)  # the array of one item
    size = struct.pack("<i", 4 + len(one) + 4)  # with its count, and no diagnostics
    message = whole[: start - 4] + size + struct.pack("<i", 1) + one + whole[start + 4 + len(old) :]
    [(handle, said)] = parse(Buffer(message)).changes
    assert handle == 9
    assert said == Said("hi" if text else 2.5, 0, 5000, 6000)


def test_a_message_without_news_is_a_sign_of_life():
    found = parse(answer())
    assert (found.changes, found.status, found.has_news) == ([], None, False)


def test_the_end_of_a_subscription_is_told():
    status = ua.StatusChangeNotification(Status=ua.StatusCode(ua.StatusCodes.BadTimeout))
    found = parse(answer(items([ua.DataValue(ua.Variant(1.0))]), status))
    assert found.status == ua.StatusCodes.BadTimeout
    assert [said.value for _, said in found.changes] == [1.0]


def test_notifications_of_other_kinds_are_passed_over():
    found = parse(answer(ua.EventNotificationList(), items([ua.DataValue(ua.Variant(5))])))
    assert [said.value for _, said in found.changes] == [5]


@pytest.mark.parametrize("count", [None, 2])
def test_a_structure_that_is_not_what_its_type_promises_costs_only_itself(count):
    broken = ua.ExtensionObject(TypeId=ua.FourByteNodeId(886), Body=b"\x01")  # of a Range: too few
    content = broken if count is None else [broken] * count
    said = [ua.Variant(1), ua.Variant(content, KINDS.ExtensionObject), ua.Variant(2)]
    found = parse(answer(items([ua.DataValue(variant) for variant in said])))
    assert [item.value for _, item in found.changes][::2] == [1, 2]
    assert isinstance(found.changes[1][1].value, Exception)


def test_a_refused_request_is_an_error():
    fault = ua.PublishResponse()
    fault.ResponseHeader.ServiceResult = ua.StatusCode(ua.StatusCodes.BadSessionIdInvalid)
    with pytest.raises(ua.uaerrors.BadSessionIdInvalid):
        parse(Buffer(struct_to_binary(fault)))


@settings(max_examples=30)
@given(st.lists(values, min_size=1, max_size=2), st.data())
def test_a_message_cut_short_is_an_error_never_a_value(said, data):
    whole = bytes(answer(items(said)))
    end = data.draw(st.integers(0, len(whole) - 30))
    try:
        found = parse(Buffer(whole[:end]))
    except Exception:  # noqa: BLE001 - whatever the decoder lets out
        return
    full = parse(Buffer(whole))
    assert found.changes == full.changes[: len(found.changes)]
