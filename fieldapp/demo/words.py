"""What workers write down at a door: one sentence, its topics, and now and then a promise."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Note:
    """A sentence, its topics (of `households.defaults.TOPICS`) and what was promised, if anything."""

    sentence: str
    topics: tuple[str, ...] = ()
    promise: str | None = None


_ALL = (
    Note("家里都好，没什么事。"),
    Note("刚吃过饭，聊了几句，都好。"),
    Note("楼道灯坏了一个，三楼到四楼。", ("楼道",), "找物业换三楼的灯"),
    Note("楼道里有堆物，说这周自己清掉。", ("楼道", "安全")),
    Note("嫌楼下电瓶车停得乱。", ("物业", "环境")),
    Note("问医保缴费到哪天截止。", ("看病",)),
    Note("垃圾房味道大，想早点清运。", ("环境",), "跟保洁说垃圾早上提前清"),
    Note("问加装电梯轮到几号楼。", ("物业",), "问加装电梯排到哪一批"),
    Note("楼上漏水，厨房顶有水印。", ("物业", "邻里"), "约楼上一起看漏水"),
    Note("门口对联掉了，顺手帮着贴好。"),
    Note("居住信息核对过，没变化。", ("证件",)),
    Note("晚上楼下有人跳舞，声音大。", ("邻里",)),
    Note("燃气软管用了好多年，提醒换。", ("安全",)),
    Note("提醒了防电信诈骗，装了反诈软件。", ("安全",)),
    Note("想问小区车位怎么排队。", ("物业",)),
    Note("身份证快到期，告诉了去哪里换。", ("证件",)),
)
_OLD = (
    Note("腿脚还行，想办助餐卡。", ("助餐",), "问助餐卡几号能好"),
    Note("血压有点高，药在吃，下周去社区医院。", ("看病",)),
    Note("耳朵不大好，敲门要重一点。"),
    Note("养老金认证不会弄，帮着在手机上做好了。", ("养老金",)),
    Note("儿子周末会来，平时自己买菜。"),
    Note("想装扶手，卫生间地滑。", ("安全",), "问卫生间扶手的补贴"),
    Note("助餐点的菜偏咸，其他都满意。", ("助餐",)),
    Note("刚出院，要静养，女儿在照顾。", ("看病",)),
    Note("精神不错，在楼下晒太阳。"),
    Note("老年证找不到了，要补。", ("证件",), "补办老年证"),
)
_GROUPS: dict[str, tuple[Note, ...]] = {
    "hardship": (
        Note("低保年审材料已交。", ("低保",)),
        Note("低保金这个月到账了。", ("低保",)),
        Note("问临时救助怎么申请。", ("低保", "看病"), "带临时救助的申请表来"),
    ),
    "unemployed": (
        Note("还在找工作，想学点手艺。", ("就业",), "问月底的技能培训名额"),
        Note("在做保安零工，先干着看。", ("就业",)),
        Note("失业金领到下个月。", ("就业",)),
    ),
    "temporary": (
        Note("居住证下个月到期，提醒去续。", ("证件",)),
        Note("在附近厂里上班，三班倒，晚上七点后在。"),
        Note("孩子想在这边上学，问要什么材料。", ("子女上学",), "问随迁子女入学要的材料"),
    ),
    "disabled": (
        Note("轮椅轮子不灵，想换。", ("看病",), "跟残联报轮椅维修"),
        Note("残疾人补贴到账了。"),
    ),
    "veteran": (Note("优待证用着，体检约在下月。", ("证件",)), Note("身体都好，说谢谢惦记。")),
    "dispute": (
        Note("和楼上谈过一次，气消了些。", ("邻里",)),
        Note("还在为漏水生气，约了下周一起坐下来说。", ("邻里",), "约两家一起坐下来说"),
    ),
    "released": (Note("在汽修店上班，情况稳定。", ("就业",)), Note("找到住处和活，暂时没有困难。")),
    "bereaved_child": (
        Note("孩子期中成绩不错，缺辅导书。", ("子女上学",), "给孩子问一套辅导书"),
        Note("孩子在家写作业，都好。"),
    ),
    "new_arrival": (
        Note("刚搬来，说了垃圾投放点和便民电话。", ("环境",)),
        Note("户口还没迁，问要带什么。", ("证件",), "把迁户口的材料清单发去"),
    ),
}
_REFUSED = ("隔着门说没空。", "说不想登记，没开门。", "开了条门缝，说改天。")
_PHONE = ("电话里说都好，白天不在家。", "打了电话，说周末在家。", "电话打通，家里没什么变化。")
_MOVED = ("邻居说上个月搬走了。", "房东说已经退租。")
_VACANT = ("没人住，门上贴着水费单。", "邻居说一直空着。")
_CHANGED = (
    Note("换了手机号，册子上改好了。", ("证件",)),
    Note("紧急联系人换了，已更新。"),
    Note("换了工作单位，已更新。", ("就业",)),
    Note("户主说房子下个月要出租。"),
)


def met_note(rng: Random, groups: list[str], oldest: int, *, changed: bool) -> Note | None:
    """What was written after meeting somebody; None for most routine visits (three taps and no word)."""
    if changed:
        return rng.choice(_CHANGED[:2] if groups else _CHANGED)
    if rng.random() > (0.6 if groups else 0.38):
        return None
    fitting = [group for group in groups if group in _GROUPS]
    if fitting and rng.random() < 0.6:
        return rng.choice(_GROUPS[rng.choice(fitting)])
    return rng.choice(_OLD if oldest >= 70 and rng.random() < 0.7 else _ALL)


def refused_sentence(rng: Random) -> str:
    """What was written after a refusal."""
    return rng.choice(_REFUSED)


def moved_sentence(rng: Random) -> str:
    """What was written when a household had moved away."""
    return rng.choice(_MOVED)


def vacant_sentence(rng: Random) -> str:
    """What was written in front of an empty flat."""
    return rng.choice(_VACANT)


def phone_sentence(rng: Random) -> str:
    """What was written after a call to somebody who was not at home before."""
    return rng.choice(_PHONE)
