//! The kernel's clock discipline. Source: `adjtimex(2)`.

use crate::{
    collector::{CollectError, Collector},
    exposition::{Exposition, Kind},
    system,
};

/// The state `TIME_ERROR`: the clock is not synchronised.
const TIME_ERROR: i32 = 5;
/// The status bit that says nanoseconds instead of microseconds.
const STA_NANO: i32 = 0x2000;
const MICROSECOND: f64 = 1e-6;
/// Frequencies are parts per million with a 16 bit fraction.
const PPM16: f64 = 65_536.0 * 1e6;

pub(crate) struct Timex;

impl Collector for Timex {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let system::Timex { state, raw } = match system::adjtimex() {
            Ok(timex) => timex,
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return Err(CollectError::NoData("not allowed to read the clock discipline"));
            }
            Err(source) => return Err(CollectError::System { call: "adjtimex", source }),
        };
        let unit = if raw.status & STA_NANO != 0 { 1e-9 } else { MICROSECOND };
        let synced = f64::from(u8::from(state != TIME_ERROR));
        use Kind::{Counter, Gauge};
        for (name, kind, help, value) in [
            (
                "offset_seconds",
                Gauge,
                "Offset between the local clock and its reference.",
                raw.offset as f64 * unit,
            ),
            (
                "frequency_adjustment_ratio",
                Gauge,
                "How much faster the local clock runs.",
                1.0 + raw.freq as f64 / PPM16,
            ),
            ("maxerror_seconds", Gauge, "Largest error of the clock.", raw.maxerror as f64 * MICROSECOND),
            (
                "estimated_error_seconds",
                Gauge,
                "Estimated error of the clock.",
                raw.esterror as f64 * MICROSECOND,
            ),
            ("status", Gauge, "Status bits of the clock.", f64::from(raw.status)),
            ("loop_time_constant", Gauge, "Time constant of the phase locked loop.", raw.constant as f64),
            ("tick_seconds", Gauge, "Time between two ticks.", raw.tick as f64 * MICROSECOND),
            ("pps_frequency_hertz", Gauge, "Frequency of the pulse per second.", raw.ppsfreq as f64 / PPM16),
            ("pps_jitter_seconds", Gauge, "Jitter of the pulse per second.", raw.jitter as f64 * unit),
            (
                "pps_shift_seconds",
                Gauge,
                "Duration of the interval of the pulse per second.",
                f64::from(raw.shift),
            ),
            ("pps_stability_hertz", Gauge, "Stability of the pulse per second.", raw.stabil as f64 / PPM16),
            ("pps_jitter_total", Counter, "Times the jitter limit was exceeded.", raw.jitcnt as f64),
            ("pps_calibration_total", Counter, "Calibration intervals.", raw.calcnt as f64),
            ("pps_error_total", Counter, "Calibration errors.", raw.errcnt as f64),
            (
                "pps_stability_exceeded_total",
                Counter,
                "Times the stability limit was exceeded.",
                raw.stbcnt as f64,
            ),
            ("tai_offset_seconds", Gauge, "Offset of international atomic time.", f64::from(raw.tai)),
            ("sync_status", Gauge, "Whether the clock is synchronised.", synced),
        ] {
            out.family(&format!("node_timex_{name}"), kind, help).add(&[], value);
        }
        Ok(())
    }
}
