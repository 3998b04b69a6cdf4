//! The machines on which something was measured, and when.

use super::date;
use super::document::{Block, Column, Section, Table, Text};
use super::sources::Sources;
use crate::fact::thousands;
use crate::progress::{Host, When};

/// A table for each machine.
pub(super) fn section(sources: &Sources) -> Section {
    let machines = sources.machines();
    let heading = if machines.len() > 1 { ("The machines", "机器") } else { ("The machine", "机器") };
    let mut section = Section::new("machines", 2, sources.pick(heading.0, heading.1));
    for (name, host) in &machines {
        section.blocks.push(Block::Table(table(sources, Some(name), *host)));
    }
    match sources.here {
        Some(here) if machines.is_empty() => section.blocks.push(Block::Table(table(sources, None, Some(here)))),
        Some(here) if machines.iter().all(|(name, _)| *name != here.name()) => {
            section.say(format!(
                "{}{}{}",
                sources.pick("This report was made on another: ", "这份报告是在另一台机器上生成的："),
                here.name(),
                sources.pick(".", "。"),
            ));
        }
        _ => {}
    }
    if section.blocks.is_empty() {
        section.say(sources.pick("Nothing was measured on any.", "还没有在任何机器上测量过。"));
    }
    section
}

/// What is known of a machine; of one without a name in the results it is the one here.
fn table(sources: &Sources, name: Option<&str>, host: Option<&Host>) -> Table {
    let title = name.map_or_else(|| sources.pick("this machine", "这台机器").to_owned(), |name| sources.machine(name));
    let mut table = Table::new(vec![Column::words(title), Column::words("")]);
    let mut row = |en: &str, zh: &str, is: String| table.row(vec![sources.pick(en, zh).into(), is.into()]);
    match host {
        Some(host) => {
            let cpu = if host.cpu.is_empty() { sources.pick("without a name", "没有名称") } else { &host.cpu };
            row("processor", "处理器", cpu.to_owned());
            row("cores", "核", cores(sources, host));
            row("memory", "内存", format!("{} MiB", thousands(host.memory_mib)));
            row("kernel", "内核", format!("Linux {}", host.kernel));
            let none = sources.pick("none: the kernel does not set the clock speed", "无：内核不调节时钟频率");
            row("governor of the clock speed", "时钟频率调节器", host.governor.clone().unwrap_or(none.to_owned()));
            let below = match host.virtual_machine {
                true => sources.pick(
                    "yes: a hypervisor takes time that nobody here sees",
                    "是：虚拟机监控程序会占用这里看不见的时间",
                ),
                false => sources.pick("no", "否"),
            };
            row("virtual machine", "虚拟机", below.to_owned());
        }
        None => row("as it is called", "名称", name.unwrap_or_default().to_owned()),
    }
    if let Some(name) = name {
        let runs: Vec<_> = sources.results.runs.values().filter(|run| run.host == name).collect();
        let answers = sources.results.answers.values().filter(|answer| answer.host == name);
        let moments: Vec<When> = runs.iter().map(|run| run.when).chain(answers.map(|answer| answer.when)).collect();
        row("runs in this report", "本报告中的运行次数", thousands(runs.len() as u64));
        if let Some((first, last)) = moments.iter().min().zip(moments.iter().max()) {
            row("measured", "测量时间", between(*first, *last));
        }
    }
    table
}

fn cores(sources: &Sources, host: &Host) -> String {
    match sources.lang {
        crate::lore::Lang::En if host.allowed == host.online => host.online.to_string(),
        crate::lore::Lang::En => format!("{} of {} may be used", host.allowed, host.online),
        crate::lore::Lang::Zh if host.allowed == host.online => host.online.to_string(),
        crate::lore::Lang::Zh => format!("{} 个中可用 {} 个", host.online, host.allowed),
    }
}

fn between(first: When, last: When) -> String {
    if first == last { date::moment(first) } else { format!("{} – {}", date::moment(first), date::moment(last)) }
}

/// A link between a number and its machine: nothing to say where there is one machine only, it is said at the head.
pub(super) fn legend(sources: &Sources) -> Option<Text> {
    (sources.machines().len() > 1).then(|| {
        let en = "Which machine a number comes from stands beside it.";
        Text::from(sources.pick(en, "每个数字旁边都写明它来自哪台机器。"))
    })
}
