//! The system calls collectors need: the one file with unsafe code.
//!
//! Contract of every function here: it passes the kernel a pointer to a zeroed structure of its own of the type that the call is documented
//! to fill, reads it only after the call succeeded, and keeps no pointer.

use std::{
    ffi::{CStr, CString},
    io,
    mem::MaybeUninit,
    os::unix::ffi::OsStrExt,
    path::Path,
};

/// What `statfs(2)` tells of a file system, in bytes and inodes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileSystemStat {
    pub size: f64,
    pub free: f64,
    pub available: f64,
    pub files: f64,
    pub files_free: f64,
}

/// `uname(2)`.
#[derive(Debug, Clone)]
pub(crate) struct Uname {
    pub sysname: String,
    pub nodename: String,
    pub release: String,
    pub version: String,
    pub machine: String,
    pub domainname: String,
}

/// The kernel's clock discipline, as `adjtimex(2)` fills it, and its return value.
pub(crate) struct Timex {
    pub state: i32,
    pub raw: libc::timex,
}

/// Blocks for as long as the file system does.
pub(crate) fn statfs(path: &Path) -> io::Result<FileSystemStat> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut stat = MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: the path is a C string that lives through the call; the structure is ours and of the type the call fills.
    if unsafe { libc::statfs(path.as_ptr(), stat.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the structure is filled; zeroed memory is a valid value of it anyway.
    let stat = unsafe { stat.assume_init() };
    let block = stat.f_bsize as f64;
    Ok(FileSystemStat {
        size: stat.f_blocks as f64 * block,
        free: stat.f_bfree as f64 * block,
        available: stat.f_bavail as f64 * block,
        files: stat.f_files as f64,
        files_free: stat.f_ffree as f64,
    })
}

pub(crate) fn uname() -> io::Result<Uname> {
    let mut names = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: the structure is ours and of the type the call fills.
    if unsafe { libc::uname(names.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded; zeroed memory is a valid value anyway.
    let names = unsafe { names.assume_init() };
    Ok(Uname {
        sysname: text(&names.sysname),
        nodename: text(&names.nodename),
        release: text(&names.release),
        version: text(&names.version),
        machine: text(&names.machine),
        domainname: text(&names.domainname),
    })
}

fn text(field: &[libc::c_char]) -> String {
    let bytes: Vec<u8> = field.iter().map(|char| *char as u8).collect();
    CStr::from_bytes_until_nul(&bytes).map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Reads the clock discipline; changes nothing.
pub(crate) fn adjtimex() -> io::Result<Timex> {
    let mut timex = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: the structure is ours and of the type the call fills; its mode is zero, which means read only.
    let state = unsafe { libc::adjtimex(timex.as_mut_ptr()) };
    if state < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded; zeroed memory is a valid value anyway.
    Ok(Timex { state, raw: unsafe { timex.assume_init() } })
}

/// Bytes in a page.
pub(crate) fn page_size() -> f64 {
    positive(libc::_SC_PAGESIZE, 4096.0)
}

/// Ticks a second in `/proc/stat`.
pub(crate) fn ticks_per_second() -> f64 {
    positive(libc::_SC_CLK_TCK, 100.0)
}

fn positive(name: libc::c_int, otherwise: f64) -> f64 {
    // SAFETY: the call takes a number, returns a number and touches no memory of ours.
    let value = unsafe { libc::sysconf(name) };
    if value > 0 { value as f64 } else { otherwise }
}

/// Offset of local time from UTC now, in seconds, and the zone's abbreviation.
pub(crate) fn local_zone(unix_seconds: i64) -> (f64, String) {
    let mut broken = MaybeUninit::<libc::tm>::zeroed();
    let time: libc::time_t = unix_seconds;
    // SAFETY: both pointers are to structures of ours that live through the call.
    if unsafe { libc::localtime_r(&raw const time, broken.as_mut_ptr()) }.is_null() {
        return (0.0, "UTC".into());
    }
    // SAFETY: the call succeeded; zeroed memory is a valid value anyway.
    let broken = unsafe { broken.assume_init() };
    let zone = if broken.tm_zone.is_null() {
        String::new()
    } else {
        // SAFETY: not null, so the C library's text of the zone, which it never frees.
        unsafe { CStr::from_ptr(broken.tm_zone) }.to_string_lossy().into_owned()
    };
    (broken.tm_gmtoff as f64, zone)
}
