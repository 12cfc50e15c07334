"""Every sentence of the console, in English and Chinese."""

from __future__ import annotations

from common.errors import Text

# Everywhere
PRODUCT = Text("Fieldwise", "Fieldwise")
TAGLINE = Text("Field promotion, well said and well planned", "地推现场：说得对，跑得顺，备得足")
SKIP = Text("Skip to the content", "跳到正文")
NAVIGATION = Text("Pages", "页面导航")
OTHER_LANGUAGE = Text("中文", "English")
SWITCH_LANGUAGE = Text("切换到中文", "Switch to English")
SIGN_OUT = Text("Sign out", "退出登录")
UNEXPECTED = Text(
    "Something went wrong here. It was logged; try again, or tell your administrator.",
    "出了点问题，已记录。请重试，或告诉管理员。",
)
ERROR_TITLE = Text("This page could not be shown", "页面暂时打不开")
RELOAD = Text("Try again", "重试")
NOT_FOUND_TITLE = Text("There is no such page", "没有这个页面")
NOT_FOUND = Text("The address may be mistyped, or the page has moved.", "地址可能有误，或页面已经移动。")
TO_START = Text("To the start page", "回到首页")
NOT_ALLOWED_TITLE = Text("This page is not for your role", "您的角色不能打开此页")
NOT_ALLOWED = Text(
    "You are signed in as {role}. Ask your manager if you need this page.",
    "您当前的角色是{role}。如果工作需要，请联系您的主管。",
)
ROLES = {
    "rep": Text("rep", "地推专员"),
    "recorder": Text("recorder", "信息记录员"),
    "logistics": Text("logistics lead", "后勤"),
    "region_manager": Text("region manager", "区域经理"),
    "analyst": Text("analyst", "数据分析师"),
    "director": Text("director", "市场总监"),
}
NOTHING = Text("–", "–")

# Sign-in
SIGN_IN_TITLE = Text("Sign in", "登录")
SIGN_IN_NAME = Text("Name", "用户名")
SIGN_IN_PASSWORD = Text("Password", "密码")
SIGN_IN = Text("Sign in", "登录")
SIGN_IN_FIRST = Text("Sign in first", "请先登录")
SIGN_IN_INCOMPLETE = Text("Enter your name and your password.", "请填写用户名和密码。")
SIGNED_OUT = Text("You are signed out.", "您已退出登录。")

# Hints
HINT_TITLE = Text("Hints", "话术")
HINT_HEADING = Text("What did the customer say?", "客户刚才说了什么？")
HINT_BOX = Text("The customer's words", "客户的原话")
HINT_PLACEHOLDER = Text("Type or paste it as it was said", "照原话输入或粘贴")
HINT_HELP = Text("Answers appear when you pause. Enter asks at once.", "停顿一下就出话术，回车立即查询。")
HINT_EXAMPLES_TITLE = Text("For example", "例如")
HINT_EXAMPLES = (
    Text("The shop next door is 200 cheaper", "隔壁家同款便宜两百块"),
    Text("I'll have to ask my wife first", "我得回去跟家里人商量商量"),
    Text("Who do I ring when it breaks?", "坏了找谁，你们管不管"),
)
HINT_WARMING = Text("The hints are being loaded, a few seconds …", "正在加载话术库，请稍候几秒……")
HINT_SEARCHING = Text("Looking …", "正在查找……")
HINT_TOO_SHORT = Text("A few more words, please.", "请再多写几个字。")
HINT_LINE = Text("Line {rank}", "第 {rank} 条")
HINT_COPY = Text("Copy", "复制")
HINT_COPIED = Text("Copied", "已复制")
HINT_COPY_FAILED = Text("Could not copy: hold the line and copy it.", "无法自动复制，请长按话术手动复制。")
HINT_USED = Text("Used", "用了")
HINT_EDITED = Text("Changed", "改了再用")
HINT_REJECTED = Text("No good", "不合适")
HINT_FEEDBACK = Text("What became of this line?", "这条话术用得怎么样？")
HINT_NOTED = Text("Noted, thank you.", "已记录，谢谢。")
HINT_EDIT_TITLE = Text("How did you say it?", "您实际是怎么说的？")
HINT_EDIT_BOX = Text("The line as you said it", "实际说的话")
HINT_SAVE = Text("Save", "保存")
HINT_CANCEL = Text("Back", "返回")
HINT_MORE = Text("Why, steps and effect", "依据、步骤与效果")
HINT_WHY = Text("Why this case", "为什么推荐")
HINT_WHY_TEXT = Text(
    "Heard as “{objection}” ({probability}). A customer in this case said: “{utterance}”",
    "听起来是「{objection}」（{probability}）。案例里的客户说的是：「{utterance}」",
)
HINT_WHY_TYPE_ONLY = Text("Heard as “{objection}” ({probability}).", "听起来是「{objection}」（{probability}）。")
HINT_STEPS = Text("What was done", "怎么做的")
HINT_EFFECT = Text("What it changed", "效果")
HINT_EFFECT_TEXT = Text(
    "{metric}: {before} → {after} (n = {n}, {start} to {end})",
    "{metric}：{before} → {after}（n = {n}，{start} 至 {end}）",
)
HINT_NO_EFFECT = Text("No figures were kept for this case.", "此案例没有留下统计数字。")
HINT_OTHER_LINES = Text("Other lines from this case", "同一案例的其他说法")
HINT_SOURCE = Text("Case {key}", "案例 {key}")
HINT_WARNING = Text("Do not say", "千万别这么说")
HINT_VALID_UNTIL = Text("Valid until {day}", "有效期至 {day}")
HINT_NO_MATCH = Text("No case fits", "没有合适的案例")
HINT_ASK_BACK = Text("Ask the customer", "不妨反问一句")
METRICS = {
    "conversion_rate": Text("Conversion", "成交率"),
    "follow_up_rate": Text("Agreed to a follow-up", "同意跟进率"),
    "second_visit_rate": Text("Second visits", "再次到访率"),
    "complaint_rate": Text("Complaints", "投诉率"),
    "contact_rate": Text("Left a contact", "留资率"),
    "average_order_cny": Text("Average order (CNY)", "客单价（元）"),
}

# Day plan
PLAN_TITLE = Text("Day plan", "路线排班")
PLAN_HEADING = Text("Plan a day", "排一天的路线")
PLAN_DATE = Text("Day", "日期")
PLAN_REGION = Text("Region", "区域")
PLAN_TIME = Text("Search time", "计算时间")
PLAN_SECONDS = Text("{seconds} s", "{seconds} 秒")
PLAN_START = Text("Plan", "开始排线")
PLAN_BAD_DATE = Text("Enter a day such as 2026-11-23.", "请填写日期，例如 2026-11-23。")
PLAN_QUEUED = Text("Waiting for a worker …", "排队中……")
PLAN_QUEUED_LONG = Text(
    "Still waiting: all workers are busy, or none runs (`fieldwise worker`).",
    "仍在排队：所有 worker 都在忙，或没有 worker 在运行（`fieldwise worker`）。",
)
PLAN_RUNNING = Text("Planning: {elapsed} of {limit} s", "正在计算：{elapsed} / {limit} 秒")
PLAN_RUNNING_ON = Text("Planning: {elapsed} s so far", "正在计算：已用 {elapsed} 秒")
PLAN_SO_FAR = Text("{visits} visits placed so far", "目前已安排 {visits} 次拜访")
PLAN_STOP = Text("Cancel", "取消")
PLAN_CANCELLED = Text("Cancelled; nothing was stored.", "已取消，没有保存任何内容。")
PLAN_FAILED = Text("The planning failed: {reason}", "排线失败：{reason}")
PLAN_LATEST = Text("Latest plans", "最近的方案")
PLAN_NONE = Text(
    "No plan yet. Choose a day and a region above, then press “Plan”.",
    "还没有方案。请在上面选择日期和区域，然后点「开始排线」。",
)
PLAN_ALL_REGIONS = Text("All regions", "全部区域")
PLAN_OF = Text("{region}, {day}", "{region} · {day}")
PLAN_VISITS = Text("Visits", "拜访")
PLAN_UNASSIGNED = Text("Not planned", "未安排")
PLAN_REPS = Text("Reps", "专员")
PLAN_TRAVEL = Text("Travel", "路上时间")
PLAN_DISTANCE = Text("Distance", "里程")
PLAN_MADE = Text("Made", "生成时间")
PLAN_HOURS = Text("{hours} h {minutes} min", "{hours} 小时 {minutes} 分")
PLAN_MINUTES = Text("{minutes} min", "{minutes} 分钟")
PLAN_KM = Text("{km} km", "{km} 公里")
PLAN_MAP = Text("Map of the routes", "路线地图")
PLAN_ROUTES = Text("Routes", "各专员路线")
PLAN_ROUTE_SUMMARY = Text("{count} stops, {start}–{end}, {km} km", "{count} 站，{start}–{end}，{km} 公里")
PLAN_NO_STOPS = Text("No stops", "没有任务")
PLAN_STOP_NUMBER = Text("No.", "序号")
PLAN_ARRIVAL = Text("Arrival", "到达")
PLAN_LEAVE = Text("Leave", "离开")
PLAN_CUSTOMER = Text("Customer", "客户")
PLAN_SHOW_ROUTE = Text("Show only this route on the map", "地图上只看这条路线")
PLAN_WHY_NOT = Text("Why", "原因")
PLAN_WOULD_HELP = Text("What would help", "可以这样调整")
PLAN_NOT_TRIED = Text("not tried, for lack of time", "时间有限，未尝试")
PLAN_UNUSABLE = Text("Wrong records, not planned", "资料有误，未排入")
PLAN_EVERYTHING = Text("Every visit is planned.", "所有拜访都已安排。")
PLAN_INFEASIBLE = Text(
    "The check found rules that this plan breaks: do not send it out.",
    "复核发现此方案违反了约束，请勿下发。",
)
PLAN_GEOJSON = Text("GeoJSON", "GeoJSON")
PLAN_CSV = Text("CSV", "CSV")
PLAN_PDF = Text("Day sheets (PDF)", "日程单（PDF）")
PLAN_SHEET = Text("Day sheet (PDF)", "日程单（PDF）")
PLAN_CALENDAR = Text("Calendar", "日历")
PLAN_DOWNLOAD_OF = Text("Download {format} of {rep}", "下载 {rep} 的{format}")
PLAN_DOWNLOAD = Text("Download as {format}", "下载 {format}")
PLAN_START_POINT = Text("Start of {rep}", "{rep} 出发点")
PLAN_WAREHOUSE = Text("Warehouse", "仓库")
PLAN_BACK = Text("Plan another day", "再排一天")

# Forecast
FORECAST_TITLE = Text("Forecast", "物料预测")
FORECAST_HEADING = Text("What is needed in the next three days", "未来三天需要多少物料")
FORECAST_REGION = Text("Region", "区域")
FORECAST_MATERIAL = Text("Material", "物料")
FORECAST_CHART = Text(
    "{material}, {region}: used in the last {days} days and forecast for three",
    "{material} · {region}：近 {days} 天消耗与未来三天预测",
)
FORECAST_USED = Text("Used", "实际消耗")
FORECAST_EMPTY_STOCK = Text("Stock ran out", "当天断货")
FORECAST_MEDIAN = Text("Forecast (median)", "预测（中位数）")
FORECAST_BAND = Text("10–90 % band", "10–90 % 区间")
FORECAST_DAY = Text("Day", "日期")
FORECAST_LOW = Text("Low (10 %)", "偏低（10 %）")
FORECAST_MIDDLE = Text("Median", "中位数")
FORECAST_HIGH = Text("High (90 %)", "偏高（90 %）")
FORECAST_TOTAL = Text("Three days together", "三天合计")
FORECAST_AS_OF = Text("Seen from the end of {origin}. Unit: {unit}.", "以 {origin} 日终数据为准，单位：{unit}。")
FORECAST_BREAKS = Text(
    "On days when stock ran out, more may have been asked for than was used.",
    "断货当天的消耗不等于需求，实际需求可能更高。",
)
FORECAST_NO_HISTORY = Text(
    "Nothing was recorded for this region and material yet.",
    "该区域和物料还没有消耗记录。",
)
FORECAST_NOT_FOR_PAIR = Text(
    "There is no forecast for this region and material: it needs some weeks of records.",
    "该区域和物料暂无预测：需要先积累几周的消耗记录。",
)
FORECAST_STOCK = Text("Stock in {region}", "{region}库存")
FORECAST_ON_HAND = Text("On hand", "现有")
FORECAST_NEED = Text("Need, 3 days", "三天需求")
FORECAST_NEED_BAND = Text("{low} to {high}", "{low}–{high}")
FORECAST_RUNNING_OUT = Text("Chance of running out", "断货概率")
FORECAST_ORDER = Text("Order", "建议订货")
FORECAST_NO_ORDER = Text("None", "不用订")
FORECAST_NO_STOCK_LIST = Text("No warehouse is recorded for this region.", "该区域没有登记仓库。")
FORECAST_ACCURACY = Text("How good the forecast is", "预测有多准")
FORECAST_MASE = Text(
    "MASE {mase} against {naive} for “same weekday last week”: {better} % smaller errors",
    "MASE {mase}，「照搬上周同日」为 {naive}：误差小 {better} %",
)
FORECAST_COVERAGE = Text("{share} % of days fell inside the 80 % band", "{share} % 的日子落在 80 % 区间内")
FORECAST_MASE_WORSE = Text(
    "MASE {mase}, and {naive} for “same weekday last week”: the simple rule is as good",
    "MASE {mase}，「照搬上周同日」为 {naive}：目前还不如简单规则",
)
FORECAST_TESTED = Text(
    "Tested as seen from the days {first} to {last}, by a model that had not seen what came after.",
    "以 {first} 至 {last} 各日为起点检验，被检验的模型没有见过之后的数据。",
)
FORECAST_NOT_TESTED = Text(
    "The model in use has not been tested on past days yet; a worker does it after the first training.",
    "当前模型还没有回测结果，首次训练后由 worker 在后台完成。",
)
FORECAST_LIVED = Text(
    "Since then, over {days} days: errors {wape} % of what was used, {coverage} % inside the band",
    "投入使用后 {days} 天：误差占消耗的 {wape} %，{coverage} % 落在区间内",
)
WEEKDAYS = (
    Text("Mon", "周一"),
    Text("Tue", "周二"),
    Text("Wed", "周三"),
    Text("Thu", "周四"),
    Text("Fri", "周五"),
    Text("Sat", "周六"),
    Text("Sun", "周日"),
)
