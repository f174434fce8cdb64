//! The standard process metrics, read from `/proc` where there is one.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

#[derive(Debug)]
pub(super) struct ProcessMetrics;

#[cfg(not(target_os = "linux"))]
impl Collector for ProcessMetrics {
    fn encode(&self, _encoder: DescriptorEncoder) -> fmt::Result {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
impl Collector for ProcessMetrics {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        // What /proc does not tell is absent.
        linux::read().map_or(Ok(()), |process| process.encode(encoder))
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fmt;

    use procfs::process::{LimitValue, Process};
    use procfs::{ProcResult, boot_time_secs, page_size, ticks_per_second};
    use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
    use prometheus_client::metrics::MetricType;
    use prometheus_client::registry::Unit;

    pub(super) struct Usage {
        cpu_seconds: f64,
        start_time: f64,
        virtual_memory: u64,
        resident_memory: u64,
        open_fds: usize,
        max_fds: Option<u64>,
    }

    pub(super) fn read() -> ProcResult<Usage> {
        let process = Process::myself()?;
        let stat = process.stat()?;
        let ticks = ticks_per_second() as f64;
        let max_fds = match process.limits()?.max_open_files.soft_limit {
            LimitValue::Value(most) => Some(most),
            LimitValue::Unlimited => None,
        };
        Ok(Usage {
            cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
            start_time: boot_time_secs()? as f64 + stat.starttime as f64 / ticks,
            virtual_memory: stat.vsize,
            resident_memory: stat.rss * page_size(),
            open_fds: process.fd_count()?,
            max_fds,
        })
    }

    impl Usage {
        pub(super) fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
            let cpu_help = "Total user and system CPU time spent.";
            let name = "process_cpu";
            encoder
                .encode_descriptor(name, cpu_help, Some(&Unit::Seconds), MetricType::Counter)?
                .encode_counter::<NoLabelSet, _, f64>(&self.cpu_seconds, None)?;
            let mut gauge = |name: &str, help: &str, unit: Option<&Unit>, value: f64| {
                let mut metric = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
                metric.encode_gauge(&value)
            };
            let (seconds, bytes) = (Some(&Unit::Seconds), Some(&Unit::Bytes));
            let start_help = "Start time of the process since the Unix epoch.";
            gauge("process_start_time", start_help, seconds, self.start_time)?;
            let (size, resident) = (self.virtual_memory as f64, self.resident_memory as f64);
            gauge(
                "process_virtual_memory",
                "Virtual memory size.",
                bytes,
                size,
            )?;
            gauge(
                "process_resident_memory",
                "Resident memory size.",
                bytes,
                resident,
            )?;
            gauge(
                "process_open_fds",
                "Number of open file descriptors.",
                None,
                self.open_fds as f64,
            )?;
            let max_help = "Maximum number of open file descriptors.";
            self.max_fds.map_or(Ok(()), |most| {
                gauge("process_max_fds", max_help, None, most as f64)
            })
        }
    }
}
