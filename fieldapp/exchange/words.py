"""What is wrong with a file, what was repaired and what was done, in the reader's language."""

from collections.abc import Iterable

from flask_babel import get_locale
from flask_babel import gettext as _

from fieldapp.exchange.misplaced import Misplaced
from fieldapp.exchange.operations import BuildingsDone, DistrictsDone
from fieldapp.exchange.problems import RowProblem
from fieldapp.exchange.registration import HouseholdsDone
from fieldapp.places.operations import Placed
from geo.geojson import Problem


def is_english() -> bool:
    """Whether the reader reads English."""
    return str(get_locale()) == "en"


def row_text(problem: RowProblem) -> str:
    """第 17 行 · 出生日期 · “1957-13-02”：要写成 1957-03-02 这样的日期."""
    place = [_("第 %(n)s 行", n=problem.row)] if problem.row else []
    place += [problem.column] if problem.column else []
    place += [_("“%(value)s”", value=problem.value[:60])] if problem.value else []
    said = row_advice(problem)
    return _("%(place)s：%(said)s", place=" · ".join(place), said=said) if place else said


def row_advice(problem: RowProblem) -> str:
    """What would be right in a cell, or in a file."""
    detail = problem.detail
    if problem.code in _FILE:
        return _file_advice(problem.code, detail)
    if problem.code in _ACROSS:
        return _advice_across_rows(problem.code, detail)
    return _cell_advice(problem.code, detail)


_FILE = frozenset({"size", "empty", "type", "xls", "bomb", "broken", "rows", "missing", "twice"})


def _file_advice(code: str, detail: str) -> str:
    texts = {
        "size": _("文件太大，一次最多 %(n)s MB", n=detail),
        "empty": _("表里没有内容，表头下面至少要有一行"),
        "type": _("不是 Excel 或 CSV 表格，要另存为 .xlsx 或 .csv"),
        "xls": _("旧版 .xls 或带密码的文件读不了，要在 Excel 里另存为没有密码的 .xlsx"),
        "bomb": _("解压后太大，要拆成几个文件"),
        "broken": _("文件坏了，要在 Excel 里打开再另存一次"),
        "rows": _("行数太多，一次最多 %(n)s 行", n=detail),
        "missing": _("缺这一列，表头要有：%(name)s", name=detail),
        "twice": _("和“%(name)s”是同一列，只留一列", name=detail),
    }
    return str(texts[code])


_ACROSS = frozenset({"two_heads", "head_taken", "id_twice", "person_twice", "differs"})


def _advice_across_rows(code: str, detail: str) -> str:
    texts = {
        "two_heads": _("这一户在第 %(n)s 行已经有户主，一户只有一个户主", n=detail),
        "head_taken": _("册子上这一户的户主是%(name)s，换户主要把两个人都写进表里", name=detail),
        "id_twice": _("和第 %(n)s 行的身份证号一样，一个人只写一行", n=detail),
        "person_twice": _("和第 %(n)s 行是同一个人，一个人只写一行", n=detail),
        "differs": _("和第 %(n)s 行写的不一样，同一户、同一个门的各行要一致", n=detail),
    }
    return str(texts[code])


def _cell_advice(code: str, detail: str) -> str:
    zh, _bar, en = detail.partition("|")
    texts = {
        "needed": _("不能空着"),
        "name_needed": _("填了“%(column)s”，就要写姓名", column=detail),
        "not_name": _("要写名字，不是数字"),
        "building": _("没有这栋楼，要写楼栋的编号或名字"),
        "building_ambiguous": _("对得上几栋楼，要写成 %(codes)s 中的一个", codes=detail),
        "no_household": _("户号 0 表示这里没有户，写了人就要从 1 起"),
        "entrance": _("要写数字，像 2 或 2单元"),
        "floor": _("要写数字，像 6；地下一层写 -1，没有 0 层"),
        "number": _("要写 %(range)s 的整数", range=detail),
        "choice": _("要写其中一个：%(words)s", words=en if is_english() and en else zh),
        "date": _("要写成 1957-03-02 这样的日期"),
        "future": _("日期还没到，今天是 %(day)s", day=detail),
        "relation": _("要写户主、配偶、子、女、父亲、母亲这样的关系，或 GB/T 4761 的两位代码"),
        "id_form": _("身份证号要写 18 位，最后一位可以是 X"),
        "id_date": _("身份证号第 7 到 14 位不是日期"),
        "id_check": _("身份证号最后一位对不上，有一位写错了"),
        "id_digits": _("数字在 Excel 里丢了末尾几位，这一格要先设为文本，再重新写 18 位"),
        "id_born": _("身份证号上是 %(day)s，两处要一致", day=detail),
        "id_sex": _("身份证号上是%(sex)s，两处要一致", sex=_("男") if detail == "1" else _("女")),
        "phone": _("要写电话号码，像 13800001234"),
        "care_group": _("社区没有这个群体，可以写：%(names)s", names=detail),
        "long": _("太长，最多 %(n)s 个字", n=detail),
        "error": _("Excel 算错了，要直接写内容"),
        "formula": _("公式还没有算出来，要在 Excel 里打开存一次，或直接写内容"),
        "became_date": _("被 Excel 改成了日期，这一格要先设为文本再写"),
    }
    return str(texts[code])


def feature_text(problem: Problem) -> str:
    """第 3 个图形：…; or, of a whole file, only what is wrong."""
    said = _feature_advice(problem.code, problem.detail or "")
    return _("第 %(n)s 个图形：%(said)s", n=problem.feature, said=said) if problem.feature else said


def _feature_advice(code: str, detail: str) -> str:
    texts = _whole_file_texts(detail) | _geometry_texts(detail) | _property_texts(detail) | _repair_texts(detail)
    return texts.get(code, f"{code} {detail}".strip())


def _whole_file_texts(detail: str) -> dict[str, str]:
    return {
        "not_utf8": _("不是 UTF-8 文本，要另存为 UTF-8 的 GeoJSON"),
        "not_json": _("不是 GeoJSON，读到这里断了：%(where)s", where=detail),
        "not_features": _("要是 GeoJSON 的 FeatureCollection，不是 %(found)s", found=detail or "—"),
        "too_large": _("文件太大，上限 %(limit)s", limit=detail),
        "too_deep": _("括号套得太深，最多 %(limit)s 层", limit=detail),
        "too_many_features": _("图形太多，一次最多 %(limit)s 个", limit=detail),
        "too_many_vertices": _("顶点太多，一次最多 %(limit)s 个", limit=detail),
        "nothing_matches": _("没有一个图形是 %(where)s", where=detail),
        "crs": _("坐标系是 %(name)s，要转成 WGS 84 经纬度", name=detail),
        "nan": _("坐标里有 %(found)s，要是普通数字", found=detail or "NaN"),
        "later_change": _("%(day)s 起已经有新的划分，日期不能比它早", day=detail),
        "future": _("日期还没到，最晚写今天 %(day)s", day=detail),
    }


def _geometry_texts(detail: str) -> dict[str, str]:
    return {
        "empty": _("里面没有图形"),
        "missing_geometry": _("没有图形，要画上位置"),
        "geometry_type": _("图形类型 %(found)s 用不上，要是面（楼栋也可以是点）", found=detail),
        "bad_feature": _("不是 Feature：%(found)s", found=detail),
        "bad_position": _("坐标要是经度、纬度两个数，不是 %(found)s", found=detail),
        "out_of_range": _("坐标超出了地球：%(found)s", found=detail),
        "swapped": _("经度和纬度写反了：%(found)s，经度在前", found=detail),
        "self_crossing": _("边线自己交叉，在 %(place)s", place=detail),
        "ring_short": _("一圈至少要三个不同的点：%(place)s", place=detail),
        "line_short": _("线至少要两个不同的点"),
        "sliver": _("面积太小，不到 1 平方米：%(place)s", place=detail),
        "hole_outside": _("洞在边线外面，在 %(place)s", place=detail),
        "holes_nested": _("洞里又有洞，在 %(place)s", place=detail),
        "disconnected": _("洞把面切成了两块，在 %(place)s", place=detail),
        "overlapping_parts": _("几块之间有重叠，在 %(place)s", place=detail),
        "antimeridian": _("跨过了 180° 经线：%(found)s", found=detail),
    }


def _property_texts(detail: str) -> dict[str, str]:
    return {
        "bad_id": _("id 要是整数或文字，不是 %(found)s", found=detail),
        "bad_properties": _("properties 要是一组属性，不是 %(found)s", found=detail),
        "bad_text": _("文字里有存不了的符号"),
        "code_twice": _("编号重复：%(found)s", found=detail),
        "too_long": _("太长，属性和最多字数：%(found)s", found=detail),
        "too_many": _("数目太大，属性和上限：%(found)s", found=detail),
        "not_text": _("属性 %(name)s 要是文字", name=detail),
        "not_number": _("要是整数：%(found)s", found=detail),
        "crowded": _("一个单元一层最多排 %(n)s 户，单元数或层数不对", n=detail),
        "worker": _("这个社区没有用户名是 %(name)s 的网格员", name=detail),
        "lead_same": _("片长和交叉不能是同一个人：%(name)s", name=detail),
    }


def _repair_texts(detail: str) -> dict[str, str]:
    return {
        "duplicate_points": _("去掉了重复的点"),
        "parts_merged": _("合并了共边的几块"),
        "ring_closed": _("补上了收尾的点"),
        "ring_order": _("改正了边线的方向"),
        "snapped": _("合上了不到 1 厘米的缝"),
        "third_coordinate": _("去掉了高程"),
        "name_cut": _("名字超过 64 个字，只取前面：%(name)s", name=detail),
    }


def repair_lines(repairs: Iterable[Problem]) -> list[str]:
    """What was repaired, one line a kind: 改正了边线的方向：第 1、2 个图形."""
    kinds: dict[str, list[str]] = {}
    for repair in repairs:
        kinds.setdefault(_feature_advice(repair.code, repair.detail or ""), []).append(str(repair.feature))
    lines = []
    for said, numbers in kinds.items():
        shown = "、".join(numbers[:20])
        more = len(numbers) - 20
        if more > 0:
            lines.append(_("%(said)s：第 %(numbers)s 个图形，还有 %(more)s 个", said=said, numbers=shown, more=more))
        else:
            lines.append(_("%(said)s：第 %(numbers)s 个图形", said=said, numbers=shown))
    return lines


def districts_lines(done: DistrictsDone) -> list[str]:
    """What an import of districts did."""
    counts = {"added": done.added, "changed": done.changed, "same": done.same}
    lines = [_("包干区：新增 %(added)s，改动 %(changed)s，没变 %(same)s", **counts)]
    if done.assigned:
        lines.append(_("换了 %(n)s 个片长或交叉", n=done.assigned))
    lines += _placed_lines(done.placed)
    if done.untouched:
        lines.append(_("文件里没有、保持不变的包干区：%(codes)s", codes="、".join(done.untouched[:20])))
    return lines + repair_lines(done.repairs)


def buildings_lines(done: BuildingsDone) -> list[str]:
    """What an import of buildings did."""
    counts = {"added": done.added, "changed": done.changed, "same": done.same}
    lines = [_("楼栋：新增 %(added)s，改动 %(changed)s，没变 %(same)s", **counts)]
    if done.doors:
        lines.append(_("排出了 %(n)s 个门，可以在楼栋页上改", n=done.doors))
    if done.without_doors:
        lines.append(_("%(n)s 栋还没有门，再导入住户表，或者先排出门（--lay-out）", n=done.without_doors))
    return lines + _placed_lines(done.placed) + repair_lines(done.repairs)


def datum_word(datum: str) -> str:
    """A datum of geo's, by the maps that use it."""
    return {
        "wgs84": _("WGS-84（GPS、天地图）"),
        "gcj02": _("GCJ-02（高德、腾讯）"),
        "bd09": _("BD-09（百度）"),
    }[datum]


def misplaced_line(found: Misplaced | None) -> str | None:
    """What a file looks like whose places lie off, and what to do about it."""
    if found is None:
        return None
    datum, metres = datum_word(found.datum), max(100, round(found.metres / 100) * 100)
    if found.left_out:
        return _(
            "%(n)s 栋楼落在边界外，差大约 %(metres)s 米：边界看起来是 %(datum)s坐标。"
            "已经存了；要改就选这种坐标系，再导入一次。",
            n=found.left_out,
            datum=datum,
            metres=metres,
        )
    numbers = "、".join(map(str, found.numbers[:20]))
    if len(found.numbers) > 20:
        numbers = _("%(numbers)s 等 %(n)s", numbers=numbers, n=len(found.numbers))
    if found.whole:
        return _(
            "第 %(numbers)s 个图形落在社区外，差大约 %(metres)s 米：整个文件看起来是 %(datum)s坐标。"
            "已经存了；要改就选这种坐标系，再导入一次。",
            numbers=numbers,
            datum=datum,
            metres=metres,
        )
    return _(
        "第 %(numbers)s 个图形差大约 %(metres)s 米，看起来是 %(datum)s坐标，别的不是：文件里混了两种。"
        "已经存了；要改就把这几个另存成一个文件，带上编号，选这种坐标系再导入。",
        numbers=numbers,
        datum=datum,
        metres=metres,
    )


def _placed_lines(placed: Placed) -> list[str]:
    lines = []
    if placed.first:
        lines.append(_("%(n)s 个门划进了包干区", n=placed.first))
    if placed.moved:
        lines.append(_("%(n)s 个门换了包干区", n=placed.moved))
    if placed.orphans:
        lines.append(_("%(n)s 个门不在任何包干区里", n=placed.orphans))
    return lines


def households_lines(done: HouseholdsDone) -> list[str]:
    """What an import of households did; the rows left out are listed apart."""
    lines = [
        _("收下 %(n)s 行", n=done.rows),
        _("新增：%(doors)s 个门，%(households)s 户，%(people)s 人",
          doors=done.doors, households=done.households, people=done.people),
        _("改动：%(doors)s 个门，%(households)s 户，%(people)s 人",
          doors=done.doors_changed, households=done.households_changed, people=done.people_changed),
    ]  # fmt: skip
    if done.skipped_rows:
        lines.append(_("跳过 %(n)s 行有错的", n=done.skipped_rows))
    if done.orphans:
        lines.append(_("%(n)s 个门不在任何包干区里", n=done.orphans))
    if done.unused:
        lines.append(_("没用到的列：%(names)s", names="、".join(done.unused[:20])))
    return lines


def column_notes() -> dict[str, str]:
    """What the template says at the headers that need it, by column."""
    return {
        "building": _("楼栋的编号或名字，要先导入楼栋。必填"),
        "floor": _("地下一层写 -1。不写就按室号认：601 是 6 楼"),
        "room": _("必填。打通的两套写 501+502"),
        "column": _("门在这一层从左数第几格。不写就按室号排"),
        "row": _("平房才写：门在第几排"),
        "span": _("横着占几格，打通的写 2"),
        "row_span": _("竖着占几格"),
        "household": _("一个门里住几户时写 1、2…，不写是 1；0 表示有门没有户"),
        "moved_in": _("像 2009-05-01"),
        "name": _("一人一行。空房、商铺留空"),
        "relation": _("户主、妻、子…，或 GB/T 4761 的两位代码"),
        "birth_date": _("像 1957-03-02"),
        "id_number": _("先把这一列设为文本再写，不然 Excel 会丢掉末尾几位"),
        "registered_at": _("户口就在这里的留空"),
        "care_groups": _("几个群体用顿号分开"),
        "note": _("这一户的备注"),
    }
