"""What a new community starts with: care groups and their rhythms, and the topics offered as chips at a visit.

Groups follow the seeds: 001 六个必访 (特困家庭, 烈军属家庭, 新迁户及暂住人员, 释放人员, 邻里矛盾纠纷), 001 五个清楚
(优抚对象, 下岗人员, 特困群体), 002 特定群体重点走访, 001 孤寡老人, 残疾人. 001's 井下职工家庭 is left to communities
that have a mine. The seeds give no rhythms; these are starting values that a community changes in its settings.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class CareGroupDefault:
    """A care group: visit every `every_days`, first within `within_days` of the event that began the membership.

    `is_sensitive`: reads only 重点 in lists and at the door, since residents look over the shoulder.
    """

    code: str
    name: str
    every_days: int | None = None
    within_days: int | None = None
    is_sensitive: bool = False


CARE_GROUPS = (
    CareGroupDefault("elderly_alone", "独居老人", every_days=15),
    CareGroupDefault("elder80", "高龄", every_days=30),
    CareGroupDefault("hardship", "低保", every_days=30),
    CareGroupDefault("disabled", "残疾", every_days=60),
    CareGroupDefault("veteran", "优抚", every_days=60),
    CareGroupDefault("unemployed", "失业", every_days=60),
    CareGroupDefault("bereaved_child", "困境儿童", every_days=30),
    CareGroupDefault("new_arrival", "新迁入", within_days=30),
    CareGroupDefault("temporary", "流动人口", every_days=90),
    CareGroupDefault("dispute", "邻里矛盾", every_days=30, within_days=7, is_sensitive=True),
    CareGroupDefault("released", "刑满释放", every_days=30, is_sensitive=True),
)

TOPICS = (
    "助餐",
    "看病",
    "低保",
    "养老金",
    "就业",
    "子女上学",
    "楼道",
    "安全",
    "邻里",
    "物业",
    "环境",
    "证件",
)
"""Words on the chips of the visit form, the most frequent first: a thumb finds the first six without scrolling."""
