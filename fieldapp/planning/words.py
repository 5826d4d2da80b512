"""What planning says: why a change was refused, why computing came to nothing, what was done."""

from flask_babel import gettext as _

from fieldapp.planning.rules import PlanRefused


def refusal(refused: PlanRefused) -> str:
    """Why a change was not made."""
    return {
        "computing": _("正在算，算好了再改。"),
        "waiting": _("分区已经定好了，等着生效。要改先撤回来。"),
        "nothing": _("还没有草案。先算一个。"),
        "draft": _("草案还没有定，不用撤。"),
        "step": _("没有可退、可再做的了。"),
        "past": _("生效的日子不能早于今天。"),
        "far": _("生效的日子最远一年。"),
        "day": _("日期要写成 2026-12-01 这样。"),
        "version": _("没看懂要改哪一版，刷新再试。"),
        "seed": _("种子要写 0 到 18 位的整数。"),
        "district": _("草案里没有这个包干区。"),
        "building": _("没有这栋楼。"),
        "entrance": _("这栋楼没有这个单元。"),
        "there": _("已经在这个包干区里了。"),
        "locked": _("这个区锁住了，先放开再改。"),
        "worker": _("没有这个人，或者不是社区干部。"),
        "same": _("片长和交叉不能是同一个人。"),
        "polygon": _("这条边界画得不对，退回原来的样子。"),
        "overlap": _("这样会和别的区重叠，没有改。"),
        "gap": _("这样会留下缝，没有改。"),
        "several_parts": _("这样会把一个区分成几块，没有改。"),
        "crossing": _("边界自己打了叉，没有改。"),
        "empty": _("这样一个区就没有了，没有改。"),
        "outside": _("%(what)s 在社区边界外面，没有改。", what=refused.detail),
        "divided": _("这栋楼的单元分在几个包干区里，先在包干区里合到一起再改单元。"),
        "nobody": _("这栋楼没有住房，分不了单元。"),
        "entrances": _("写单元数，比如 3；或者每个单元的户数，比如 40，40，32。"),
        "columns": _("门只有 %(n)s 列，分不出这么多单元。", n=refused.detail),
        "sum": _sum(refused),
        "taken": _("两个 %(what)s 会落在同一个单元里，没有改。", what=refused.detail),
    }.get(refused.code, _("没看懂要改什么，再试一次。"))


def _sum(refused: PlanRefused) -> str:
    typed, doors = [*refused.detail.split(), "", ""][:2]
    return _("写的加起来是 %(typed)s 户，这栋楼有 %(doors)s 户。", typed=typed, doors=doors)


def failure(code: str) -> str:
    """Why computing came to nothing."""
    return {
        "died": _("算到一半停了，没有改动。再算一次。"),
        "nobody": _("没有住着人的楼，算不出来。先导入楼栋和住户。"),
        "refused": _("现在的边界或楼的位置有问题，算不出来。先到导入里检查。"),
    }.get(code, _("没算成，没有改动。再算一次；还不行就告诉管理员。"))


def deed(name: str) -> str:
    """What a step did."""
    return {
        "propose": _("算了一个分区"),
        "rebalance": _("少换人地调了一遍"),
        "border": _("拖了边界"),
        "move": _("移了单元"),
        "lock": _("锁住、放开"),
        "people": _("换了人"),
    }.get(name, name)
