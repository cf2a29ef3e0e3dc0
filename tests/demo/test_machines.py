"""The physics of the demo factory, without a second of waiting."""

import math

from edge_agent.demo.factory import Factory
from edge_agent.demo.machines import Meter, Oven, Press, PressState, Scale

STEP = 0.05


def test_energy_is_the_integral_of_power() -> None:
    meter, powers = Meter(energy=100.0), [5.0 + math.sin(t / 10) for t in range(3600)]
    for power in powers:
        meter.step(1.0, power)
    assert math.isclose(meter.energy - 100.0, sum(powers) / 3600.0, rel_tol=1e-9)


def test_currents_voltages_and_power_factor_give_the_power() -> None:
    meter = Meter(energy=0.0)
    meter.step(3.0, 6.5)
    apparent = sum(v * i for v, i in zip(meter.voltages, meter.currents, strict=True))
    assert math.isclose(apparent * meter.power_factor / 1000.0, 6.5)
    assert all(225 < voltage < 235 for voltage in meter.voltages)
    assert 0.5 < meter.power_factor < 1.0


def test_a_meter_without_load_stands_still() -> None:
    meter = Meter(energy=7.0)
    meter.step(60.0, 0.0)
    assert meter.energy == 7.0
    assert meter.currents == (0.0, 0.0, 0.0)


def test_the_press_makes_about_its_nominal_strokes_per_minute() -> None:
    press = Press()
    before = press.strokes
    for _ in range(int(30 / STEP)):
        press.step(STEP)
    assert press.state is PressState.RUNNING
    assert 22 <= press.strokes - before <= 24


def test_the_counter_of_the_press_never_goes_back_and_rests_while_it_is_stopped() -> None:
    press, seen, rested = Press(), [], set()
    for _ in range(int(102 / STEP)):
        press.step(STEP)
        seen.append(press.strokes)
        if press.speed < 0.01:
            rested.add(press.state)
    assert seen == sorted(seen)
    assert PressState.STOPPED in rested
    assert PressState.RUNNING not in rested


def test_a_stopped_press_draws_less_and_its_oil_cools() -> None:
    running, stopped = Press(), Press(clock=91.0 + 5.0, speed=0.0, oil_temperature=50.0)
    assert stopped.state is PressState.STOPPED
    warm, drawn = running.oil_temperature, []
    for _ in range(int(5 / STEP)):
        running.step(STEP)
        stopped.step(STEP)
        drawn.append((running.power, stopped.power))
    assert running.oil_temperature > warm
    assert stopped.oil_temperature < 50.0
    assert all(one > other for one, other in drawn)
    assert max(power for power, _ in drawn) > 10.0  # the push of a stroke is seen


def test_the_oven_overshoots_because_its_elements_are_still_hot() -> None:
    oven = Oven()
    while oven.heating:
        oven.step(STEP)
    switched_off = oven.chamber
    oven.step(STEP)
    assert oven.chamber > switched_off
    peak = switched_off
    for _ in range(int(60 / STEP)):
        oven.step(STEP)
        peak = max(peak, oven.chamber)
    assert switched_off + 0.5 < peak < switched_off + 15.0


def test_the_oven_follows_its_setpoint_and_never_jumps() -> None:
    oven, chambers = Oven(), []
    for _ in range(int(1080 / STEP)):
        before = oven.chamber
        oven.step(STEP)
        assert abs(oven.chamber - before) < 0.6 * STEP  # less than 0.6 K/s
        chambers.append(oven.chamber)
    assert min(chambers) > 150.0
    assert 200.0 < max(chambers) < 225.0


def test_the_oven_loses_heat_through_an_open_door() -> None:
    closed, opened = Oven(clock=10.0, heating=False), Oven(clock=85.0, heating=False)
    assert opened.door_open
    for oven in (closed, opened):
        oven.elements = oven.chamber = 180.0
        oven.step(2.0)
    assert opened.chamber < closed.chamber


def test_the_scale_swings_and_then_stands_still_at_the_load() -> None:
    scale, stable, moving = Scale(load=5.74), [], []
    while scale.clock < Scale.CYCLE - 2 * STEP:
        scale.step(STEP, next_load=9.0)
        if scale.clock > Scale.EMPTY:
            (stable if scale.stable else moving).append(scale.weight)
    assert stable
    assert all(abs(weight - 5.74) <= 0.001 for weight in stable)
    assert max(moving) > 5.8  # it overshoots
    assert len(stable) * STEP > 3.0


def test_the_factory_belongs_together() -> None:
    factory = Factory()
    energy, strokes = factory.press_meter.energy, factory.press.strokes
    factory.step(8.5)
    made = factory.press.strokes - strokes
    assert made > 4
    assert 0.005 < factory.press_meter.energy - energy < 0.03  # some kW for 8.5 s
    assert math.isclose(factory.scale.load, 1.2 + 0.454 * (factory.boxed - strokes))
    assert factory.oven_meter.power == factory.oven.power


def test_the_factory_moves_the_same_in_one_go_and_in_small_steps() -> None:
    at_once, slowly = Factory(), Factory()
    at_once.step(20.0)
    for _ in range(400):
        slowly.step(0.05)
    assert at_once.press.strokes == slowly.press.strokes
    assert math.isclose(at_once.oven.chamber, slowly.oven.chamber, abs_tol=1e-6)
