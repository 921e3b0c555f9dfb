use super::*;

fn interval(yaml: &str) -> Result<TimeInterval, String> {
    serde_yaml::from_str(yaml).map_err(|error| error.to_string())
}

#[test]
fn tells_moments_inside_from_outside() {
    let check = |yaml: &str, moment: &str, want: bool| {
        let interval = interval(yaml).expect(yaml);
        assert_eq!(interval.contains(moment.parse().expect("a moment")), want, "{yaml} {moment}");
    };
    check("{}", "2024-05-01T00:00:00Z", true);
    let office = "{times: [{start_time: '09:00', end_time: '17:00'}], weekdays: ['monday:friday']}";
    check(office, "2024-05-01T09:00:00Z", true);
    check(office, "2024-05-01T16:59:59Z", true);
    check(office, "2024-05-01T17:00:00Z", false);
    check(office, "2024-05-04T12:00:00Z", false);
    check("{days_of_month: ['-1']}", "2024-02-29T00:00:00Z", true);
    check("{days_of_month: ['-1']}", "2024-02-28T00:00:00Z", false);
    check("{days_of_month: ['30:31']}", "2024-02-29T00:00:00Z", false);
    check("{days_of_month: ['25:-1']}", "2024-02-29T00:00:00Z", true);
    check("{months: ['may:august', '12']}", "2024-12-01T00:00:00Z", true);
    check("{months: ['may:august', '12']}", "2024-09-01T00:00:00Z", false);
    check("{years: ['2020:2023']}", "2024-01-01T00:00:00Z", false);
    check("{times: []}", "2024-01-01T00:00:00Z", false);
    let late = "{times: [{start_time: '23:00', end_time: '24:00'}], location: 'Europe/Berlin'}";
    check(late, "2024-07-01T21:30:00Z", true);
    check(late, "2024-07-01T23:30:00Z", false);
}

#[test]
fn refuses_what_cannot_be() {
    let check = |yaml: &str, want: &str| {
        let error = interval(yaml).expect_err(yaml);
        assert!(error.contains(want), "{yaml}: {error}");
    };
    check("{weekdays: [caturday]}", "caturday is not a valid weekday");
    check("{weekdays: ['friday:monday']}", "start day cannot be before end day");
    check("{days_of_month: ['0']}", "0 is not a valid day of the month: out of range");
    check("{days_of_month: ['-1:5']}", "end day must be negative if start day is negative");
    check("{days_of_month: ['20:10']}", "end day 10 is always before start day 20");
    check("{months: ['may:april']}", "end month april is before start month may");
    check("{years: ['2024:2020']}", "end year 2020 is before start year 2024");
    check("{years: ['1:2:3']}", "couldn't parse range 1:2:3, invalid format");
    check("{times: [{start_time: '9:00', end_time: '10:00'}]}", "couldn't parse timestamp 9:00");
    check("{times: [{start_time: '10:00', end_time: '10:00'}]}", "start time cannot be equal or greater");
    check("{times: [{start_time: '10:00'}]}", "both start and end times must be provided");
    check("{location: Atlantis}", "unknown time zone Atlantis");
    check("{hours: []}", "unknown field `hours`");
}

#[test]
fn is_written_as_it_is_read() {
    let yaml = "{times: [{start_time: '09:00', end_time: '17:00'}], weekdays: ['monday:friday', sunday], \
                days_of_month: ['-3:-1'], months: ['5'], years: ['2024'], location: Europe/Berlin}";
    let read = interval(yaml).expect("valid");
    let written = serde_yaml::to_string(&read).expect("yaml");
    assert_eq!(interval(&written).expect("its own text"), read, "{written}");
}
