//! Counters of the network's protocols. Sources: `/proc/net/netstat`, `/proc/net/snmp`, `/proc/net/snmp6`; a filter picks fields.

use std::{collections::BTreeMap, path::PathBuf};

use go_regex::Regex;

use crate::{
    Options, OptionsError,
    collector::{CollectError, Collector, number, read, read_value},
    exposition::{Exposition, Kind},
};

pub(crate) const FLAGS: &[&str] = &["collector.netstat.fields"];

const DEFAULT_FIELDS: &str = concat!(
    "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)",
    "|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)",
    "|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)",
    "|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$",
);

pub(crate) struct NetStat {
    tables: [PathBuf; 2],
    snmp6: PathBuf,
    fields: Option<Regex>,
}

impl NetStat {
    pub(crate) fn new(options: &Options) -> Result<Self, OptionsError> {
        Ok(Self {
            tables: [options.proc("net/netstat"), options.proc("net/snmp")],
            snmp6: options.proc("net/snmp6"),
            fields: options.regex("collector.netstat.fields", DEFAULT_FIELDS)?,
        })
    }
}

impl Collector for NetStat {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let mut values: BTreeMap<String, f64> = BTreeMap::new();
        let mut put = |key: String, value: f64| {
            if self.fields.as_ref().is_none_or(|wanted| wanted.is_match(&key)) {
                values.insert(key, value);
            }
        };
        for path in &self.tables {
            let text = read(path)?;
            let mut lines = text.lines();
            // A line of names, then a line of values, each after the protocol's name.
            while let (Some(names), Some(numbers)) = (lines.next(), lines.next()) {
                let (Some((protocol, names)), Some((_, numbers))) =
                    (names.split_once(':'), numbers.split_once(':'))
                else {
                    return Err(CollectError::form(path, "no protocol's name"));
                };
                for (name, field) in names.split_ascii_whitespace().zip(numbers.split_ascii_whitespace()) {
                    put(format!("{protocol}_{name}"), number(path, Some(field))?);
                }
            }
        }
        for line in read_value(&self.snmp6).unwrap_or_default().lines() {
            let mut fields = line.split_ascii_whitespace();
            let Some(key) = fields.next() else { continue };
            // `Ip6InReceives`: the protocol ends with the 6.
            let Some(split) = key.find('6').map(|at| at + 1).filter(|at| *at < key.len()) else { continue };
            put(format!("{}_{}", &key[..split], &key[split..]), number(&self.snmp6, fields.next())?);
        }
        for (key, value) in values {
            let help = format!("Statistic {}.", key.replace('_', ""));
            out.family(&format!("node_netstat_{key}"), Kind::Untyped, &help).add(&[], value);
        }
        Ok(())
    }
}
