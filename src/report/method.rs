//! How it was measured: what the words and intervals of the report mean, and by which versions.

use super::date;
use super::document::{Block, Section, Text};
use super::sources::Sources;
use crate::fact::clean_line;
use crate::lore::Lang;
use std::collections::BTreeSet;

const EN: [&str; 7] = [
    "Costs are measured in rounds. In each round every variant has one turn, and the order alternates (A B, then B A), so \
     that what drifts meanwhile touches all of them alike. The first rounds warm up and are not counted.",
    "A figure is the median of its rounds. Outliers without a known cause are kept and counted; a median does not mind \
     them. A measurement during which others had more than a tenth of the time is left out and counted. What \
     others had of the core is told of the whole run: in the measurements that are left out, and between any two.",
    "The interval is a 95 % bootstrap interval of the median. Where two things are compared, the ratio is the median of the \
     rounds' own ratios, with an interval of its own: what disturbs a round disturbs both.",
    "“More” or “less” means that the whole interval of the ratio lies on one side of 1, by more than the same thing differs by \
     that is measured twice. “No difference” means that the interval is narrow and near 1: a difference, if there is one, is \
     below a tenth.",
    "“Inconclusive” means that this run does not decide. The interval was wide, there were too few rounds, or the machine \
     was too busy: time on the run queue, time kept by the hypervisor, a changing clock speed or others on the core could \
     have turned the verdict. It does not mean that nothing is there.",
    "What the source of a run is stands with it. Costs come from runs that nobody watched, since the recorder would cost \
     what is measured. Who ran when comes from watched runs, and the watching costs something.",
    "A claim has two tests, one that speaks for it and one that speaks against it; between them is room for \
     “inconclusive”. A verdict is of one run on one machine and says nothing of others.",
];

const ZH: [&str; 7] = [
    "开销是分轮测的。每一轮里每种做法各有一次机会，先后次序交替（先 A 后 B，再先 B 后 A），这样期间的漂移对大家影响相同。开头几轮是预热，不计入。",
    "数字是各轮的中位数。没有已知原因的离群值保留并计数，中位数不受它们影响。有别的任务占去十分之一以上时间的那次测量不计入，但计数。别的任务在核上占的份额是就整次运行说的：既在不计入的测量里，也在两次测量之间。",
    "区间是中位数的 95 % 自助法（bootstrap）区间。比较两样东西时，比值是各轮自己的比值的中位数，有它自己的区间：干扰一轮的东西对两者都有影响。",
    "“more”或“less”表示比值的整个区间在 1 的一侧，而且超过同一件事测两遍的差别。“no difference”表示区间很窄而且在 1 附近：即使有差别，也不到十分之一。",
    "“尚无定论”（inconclusive）表示这次运行不能决定：区间太宽，轮数太少，或者机器太忙——运行队列上的等待、虚拟机监控程序占去的时间、变化的时钟频率或同一核上的其他任务都可能改变结论。它不表示没有差别。",
    "每次运行的来源与它写在一起。开销来自无人观察的运行，因为记录器的开销会混进要测的东西。谁在何时运行则来自被观察的运行，而观察有代价。",
    "一条说法有两个检验，一个支持它，一个反对它；两者之间留有“尚无定论”的余地。一个结论只属于一台机器上的一次运行。",
];

/// How it was measured, and with what.
pub(super) fn section(sources: &Sources) -> Section {
    let mut section = Section::new("method", 2, sources.pick("How it was measured", "怎样测的"));
    let points = match sources.lang {
        Lang::En => &EN,
        Lang::Zh => &ZH,
    };
    section.blocks.push(Block::List(points.iter().map(Text::from).collect()));
    let versions: BTreeSet<String> = sources
        .results
        .runs
        .values()
        .map(|run| clean_line(&run.version))
        .filter(|version| !version.is_empty())
        .collect();
    if !versions.is_empty() {
        let versions: Vec<_> = versions.into_iter().collect();
        section.say(format!(
            "{}{}{}",
            sources.pick("Measured by forklore ", "测量所用：forklore "),
            versions.join(sources.pick(", ", "、")),
            sources.pick(".", "。")
        ));
    }
    let (own, now) = (env!("CARGO_PKG_VERSION"), date::moment(sources.now));
    section.say(match sources.lang {
        Lang::En => format!("Report made by forklore {own}, {now}. Times of day are UTC."),
        Lang::Zh => format!("报告由 forklore {own} 生成，{now}。时间均为 UTC。"),
    });
    section
}
