"""What the step needs is loaded while people think, not once they have decided."""

from storage.store import SqlStore
from tests.world import ChangeWorld, Clock, Working, World


class Heavy(ChangeWorld):
    """It writes down when it was loaded and when it acted."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.log: list[str] = []
        world.trouble = lambda place: self.log.append(place) if place == "before" else None

    def load(self) -> None:
        self.log.append("load")


def test_an_action_is_loaded_as_soon_as_people_are_asked(store: SqlStore, clock: Clock) -> None:
    world = World()
    action = Heavy(world)
    house = Working(store, clock, world=world, more={"world.change": action})
    run = house.start("change-it", {"by": 5}, by="rita")
    house.settle()

    assert action.log == ["load"]

    house.approve(run, by="ana")
    house.settle()

    assert action.log == ["load", "before"]
