"""Names that read as Chinese ones: surnames by frequency, given names by the fashion of the years of birth."""

from bisect import bisect
from itertools import accumulate
from random import Random

_SURNAMES: tuple[tuple[str, int], ...] = (
    ("王", 72), ("李", 70), ("张", 68), ("刘", 50), ("陈", 48), ("杨", 30), ("赵", 26), ("黄", 22), ("周", 30),
    ("吴", 26), ("徐", 24), ("孙", 20), ("胡", 14), ("朱", 20), ("高", 12), ("林", 12), ("何", 12), ("郭", 11),
    ("马", 11), ("罗", 9), ("梁", 8), ("宋", 9), ("郑", 9), ("谢", 8), ("韩", 7), ("唐", 8), ("冯", 8), ("于", 6),
    ("董", 6), ("萧", 2), ("程", 6), ("曹", 8), ("袁", 6), ("邓", 6), ("许", 9), ("傅", 4), ("沈", 14), ("曾", 4),
    ("彭", 5), ("吕", 5), ("苏", 5), ("卢", 4), ("蒋", 9), ("蔡", 6), ("贾", 3), ("丁", 7), ("魏", 4), ("薛", 4),
    ("叶", 6), ("阎", 2), ("余", 5), ("潘", 6), ("杜", 4), ("戴", 5), ("夏", 5), ("钟", 3), ("汪", 4), ("田", 3),
    ("任", 3), ("姜", 3), ("范", 5), ("方", 4), ("石", 3), ("姚", 5), ("谭", 3), ("廖", 2), ("邹", 4), ("熊", 2),
    ("金", 4), ("陆", 9), ("郝", 2), ("孔", 2), ("白", 2), ("崔", 2), ("康", 2), ("毛", 3), ("邱", 3), ("秦", 4),
    ("江", 3), ("史", 2), ("顾", 9), ("侯", 2), ("邵", 5), ("孟", 2), ("龙", 1), ("万", 2), ("段", 1), ("钱", 9),
    ("汤", 3), ("尹", 2), ("黎", 1), ("易", 1), ("常", 1), ("武", 1), ("乔", 1), ("贺", 2), ("龚", 3), ("华", 4),
    ("过", 2), ("荣", 2), ("尤", 3), ("浦", 2), ("强", 1), ("诸葛", 1), ("欧阳", 1), ("司马", 1),
)  # fmt: skip
"""By hundredths of a per cent or so after the Ministry of Public Security's yearly lists, with some of Wuxi's own."""

_GIVEN: tuple[tuple[int, str, str], ...] = (
    (
        1952,
        "福生 根生 永福 德明 建国 国强 金宝 阿大 永林 正明 长顺 文斌 志明 启明 兴发 炳坤 荣根 汉良 耀祖 锡根 "
        "寿康 富根 解放 祖荣 鸿生 洪生 宝林 伯良 仁德 振华 明德 友根 学文 树林 泉根 士良",
        "桂兰 秀英 凤英 玉珍 兰英 秀珍 桂英 玉兰 凤珍 素珍 桂珍 阿妹 秀兰 惠珍 玉英 金娣 林妹 淑珍 淑英 月珍 "
        "杏珍 宝珍 爱珍 彩英 菊英 翠英 梅珍 瑞英 银娣 雪珍 美珍 根娣 巧英 荷英 静娴 毓秀",
    ),
    (
        1966,
        "建国 建华 建军 卫东 国庆 爱国 志强 国平 建平 建明 永明 国华 国良 志明 文革 伟民 建新 建中 学军 红卫 "
        "惠明 锡良 跃进 新民 永强 明华 荣华 卫国 正华 国梁 立新 国栋 耀明 金龙 和平 炳华",
        "秀兰 惠芳 美娟 雪琴 丽华 玉芳 建芬 惠英 亚芬 红英 秀芳 惠娟 玉琴 美英 丽珍 文娟 菊芬 雅琴 佩芬 卫红 "
        "国英 凤娟 月琴 惠琴 素芳 彩娟 锡珍 琴芳 美华 桂芳 爱华 秋芳 云芳 静芳 小妹 慧珍",
    ),
    (
        1978,
        "志刚 勇 军 伟 海涛 峰 强 斌 建新 晓明 永刚 文军 东 明 刚 俊 平 国锋 健 伟明 晓峰 新华 志伟 立军 "
        "宏伟 学峰 春雷 敏杰 亚平 建峰 锡华 卫星 海峰 忠明 剑 辉",
        "丽 敏 静 红 燕 芳 丽萍 春燕 红梅 晓红 艳 霞 萍 丽娟 玉梅 海燕 冬梅 亚萍 英 琴 惠 晓燕 文英 春梅 "
        "丽芳 亚芳 雪梅 小红 秋萍 建英 莉 玲 慧 小芳 秀丽 美芳",
    ),
    (
        1990,
        "磊 鹏 涛 超 浩 晓东 杰 飞 亮 鑫 凯 波 骏 伟 勇 斌 俊 翔 晨 旭 峰 志鹏 文涛 海波 晓波 宁 洋 龙 建 威 "
        "佳 振宇 一鸣 晓军 志远 文杰",
        "婷 娟 丹 倩 雪 晶 娜 静 文静 婷婷 丽娜 莹 佳 芳芳 慧 敏 蕾 燕 颖 欢 琳 玲玲 媛媛 晓雯 海霞 萍 露 洁 "
        "薇 莉莉 晓丽 雯 琴 霞 春霞 小燕",
    ),
    (
        2001,
        "俊杰 文博 宇 晨 天宇 浩 嘉豪 志豪 凯 子豪 鑫 逸飞 杰 俊 一帆 泽宇 睿 博文 晨阳 家豪 明轩 翔宇 涛 "
        "思远 旭东 宇航 浩然 天翔 佳伟 昊 斌 少杰 文轩 锦程 志恒 海洋",
        "思雨 佳怡 雨 梦婷 雪 雨婷 静怡 佳 欣 文静 雅婷 晓雯 思佳 梦洁 雯 婷 倩 晨曦 诗琪 颖 慧 怡 雅琪 雨晴 "
        "嘉欣 悦 玥 琳 心怡 慧敏 淑怡 佳琪 梦瑶 舒 宁 妍",
    ),
    (
        2011,
        "浩然 宇轩 子轩 浩宇 梓轩 俊熙 博文 子涵 宇航 天佑 皓轩 睿 明轩 俊杰 一鸣 梓豪 嘉乐 泽宇 晨熙 思源 "
        "子墨 文轩 奕辰 昊天 铭轩 柏翰 景行 逸晨",
        "子涵 欣怡 雨欣 诗涵 梓涵 可馨 佳怡 思涵 雨桐 紫涵 若曦 梦琪 欣妍 语嫣 诗琪 一诺 雨萱 静雯 嘉怡 晨曦 "
        "佳琪 思琪 子萱 悦彤 艺涵 婧琪 雅萱 心悦",
    ),
    (
        9999,
        "沐宸 浩宇 梓睿 宇泽 奕辰 沐阳 俊熙 宇航 亦辰 子墨 泽洋 铭宇 景行 一诺 梓宸 予安 星辰 嘉树 浩然 辰逸 "
        "知行 柏言 瑞泽 明哲 晏清 云舟 禾一 乐之",
        "梓涵 一诺 欣怡 若汐 沐瑶 诗涵 语桐 艺馨 可欣 雨桐 依诺 思语 芮涵 清妍 佳禾 悦心 安然 知夏 书瑶 苒苒 "
        "昕玥 南乔 芷若 心玥 言希 乐怡 初晴 婉清",
    ),
)
"""Last year of birth of a fashion, men's names, women's names; the earlier in the list, the more frequent."""

KNOWN_NAMES = frozenset({"张桂兰", "周福生", "王秀英"})
"""Residents of the mock-ups: one of each, so that a search finds the one that is meant."""

COMPOUND = ("诸葛", "欧阳", "司马")
"""The surnames of two characters among them."""

_SURNAME_SUMS = list(accumulate(weight for _, weight in _SURNAMES))
_FASHIONS = [(until, men.split(), women.split()) for until, men, women in _GIVEN]


def surname(rng: Random) -> str:
    """A surname, as frequent as it is among people."""
    return _SURNAMES[bisect(_SURNAME_SUMS, rng.random() * _SURNAME_SUMS[-1])][0]


def given_name(rng: Random, sex: str, year: int) -> str:
    """A given name for somebody of this sex (GB/T 2261.1) born in `year`; the first of a fashion's are likelier."""
    men, women = next((men, women) for until, men, women in _FASHIONS if year <= until)
    choices = men if sex == "1" else women
    return choices[int(len(choices) * rng.random() ** 1.35)]


def full_name(rng: Random, sex: str, year: int, family: str | None = None) -> str:
    """Surname and given name, never one of `KNOWN_NAMES`; `family` keeps a family's own."""
    while True:
        name = (family or surname(rng)) + given_name(rng, sex, year)
        if name not in KNOWN_NAMES:
            return name
