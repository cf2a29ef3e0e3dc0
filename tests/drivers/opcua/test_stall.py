"""When a silence is too long, and what is built anew then."""

from edge_agent_opcua.stall import GOOD_WORDS, GRACE, KEEP_ALIVES, Remedy, Stall


def begun():
    stall = Stall()
    stall.begin(10.0, now=100.0)
    return stall


def test_a_subscription_may_be_silent_for_two_keep_alives():
    stall = begun()
    assert stall.until == 100 + KEEP_ALIVES * 10 + GRACE
    stall.hear(115.0)
    assert stall.until == 115 + KEEP_ALIVES * 10 + GRACE
    assert stall.silence(120.0) == 5


def test_the_remedies_come_in_order_until_one_helps():
    stall = begun()
    assert [stall.remedy() for _ in range(4)] == [
        Remedy.SUBSCRIPTION,
        Remedy.SESSION,
        Remedy.CONNECTION,
        Remedy.CONNECTION,
    ]


def test_a_first_word_alone_is_no_cure():
    stall = begun()
    assert stall.remedy() is Remedy.SUBSCRIPTION
    stall.begin(10.0, now=200.0)
    stall.hear(200.1)
    assert stall.remedy() is Remedy.SESSION
    stall.begin(10.0, now=300.0)
    for _ in range(GOOD_WORDS):
        stall.hear(310.0)
    assert stall.remedy() is Remedy.SUBSCRIPTION
