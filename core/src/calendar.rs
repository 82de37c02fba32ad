//! The Gregorian calendar, from 1970 to 9999, in UTC, and the forms in which others write its moments.

/// Unix seconds of a date and a time of day; `None` outside the calendar. A leap second is the next one's first.
pub(crate) fn seconds([year, month, day]: [u64; 3], [hour, minute, second]: [u64; 3]) -> Option<u64> {
    let is_date = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let is_time = hour < 24 && minute < 60 && second <= 60;
    (is_date && is_time)
        .then(|| ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Date and time of day of a number of Unix seconds.
pub(crate) fn date_and_time(seconds: u64) -> ([u64; 3], [u64; 3]) {
    let (year, month, day) = civil_from_days(seconds / 86_400);
    ([year, month, day], [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60])
}

/// Reads a timestamp in UTC (RFC 3339), as Google's APIs write it: `2026-11-22T04:36:10Z`, with or without a fraction.
pub(crate) fn read_rfc3339(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let time = time.split_once('.').map_or(time, |(time, _fraction)| time);
    seconds(numbers(date, '-')?, numbers(time, ':')?)
}

/// Reads an IMF-fixdate (RFC 9110, section 5.6.7): `Fri, 15 Jan 2027 08:00:00 GMT`.
pub(crate) fn read_http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let day = words.next()?.parse().ok()?;
    let month = words.next().and_then(|name| MONTHS.iter().position(|month| *month == name))?;
    let year = words.next()?.parse().ok()?;
    let time = numbers(words.next()?, ':')?;
    (words.next() == Some("GMT")).then(|| seconds([year, month as u64 + 1, day], time)).flatten()
}

/// Reads the digits of a `UTCTime` or a `GeneralizedTime` (RFC 5280, section 4.1.2.5): always in UTC, always with
/// seconds.
pub(crate) fn read_asn1(digits: &[u8], is_utc_time: bool) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?.strip_suffix('Z')?;
    let (year, rest) = text.split_at_checked(if is_utc_time { 2 } else { 4 })?;
    let year = match (decimal(year)?, is_utc_time) {
        (year, true) if year < 50 => year + 2000,
        (year, true) => year + 1900,
        (year, false) => year,
    };
    let fields: Option<Vec<u64>> =
        rest.as_bytes().chunks(2).map(|pair| decimal(std::str::from_utf8(pair).ok()?)).collect();
    let [month, day, hour, minute, second] = fields?.try_into().ok().filter(|_| rest.len() == 10)?;
    seconds([year, month, day], [hour, minute, second])
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let parts: Option<Vec<u64>> = text.split(separator).map(decimal).collect();
    parts?.try_into().ok()
}

fn decimal(digits: &str) -> Option<u64> {
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// Days from 1970-01-01 to a date.
fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    // Years begin in March here, so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_before_year = year * 365 + year / 4 - year / 100 + year / 400;
    let days_before_month = (153 * month + 2) / 5;
    // 719468 days lie between 0000-03-01 and 1970-01-01.
    (days_before_year + days_before_month + day).saturating_sub(719_469)
}

/// Year, month and day of a number of days after 1970-01-01.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    // 146097 days are 400 years; within them the leap days are taken out before the years are counted.
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year_of_era + next_year, month, day)
}

/// A moment in UTC, as RFC 3339 writes it.
pub(crate) fn rfc3339(seconds: u64) -> String {
    let ([year, month, day], [hour, minute, second]) = date_and_time(seconds);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Option<u64> = Some(1_800_000_000);

    #[test]
    fn timestamps_of_google_apis_are_read() {
        for text in ["2027-01-15T08:00:00Z", "2027-01-15T08:00:00.123456Z"] {
            assert_eq!(read_rfc3339(text), MOMENT, "{text}");
        }
        for text in
            ["", "2027-01-15T08:00:00+01:00", "2027-01-15", "2027-13-15T08:00:00Z", "2027-01-15T08:00Z"]
        {
            assert_eq!(read_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn dates_of_http_are_read() {
        assert_eq!(read_http_date("Fri, 15 Jan 2027 08:00:00 GMT"), MOMENT);
        // A leap second.
        assert_eq!(read_http_date("Fri, 15 Jan 2027 07:59:60 GMT"), MOMENT);
        for text in [
            "",
            "Fri, 15 Jan 2027 08:00:00 CET",
            "Fri, 32 Jan 2027 08:00:00 GMT",
            "Fri, 0 Jan 2027 08:00:00 GMT",
            "Fri, 15 Foo 2027 08:00:00 GMT",
            "Fri, 15 Jan 1969 08:00:00 GMT",
            "Fri, 15 Jan 2027 24:00:00 GMT",
            "Fri, 15 Jan 2027 08:60:00 GMT",
            "Fri, 15 Jan 2027 08:00:61 GMT",
        ] {
            assert_eq!(read_http_date(text), None, "{text}");
        }
    }

    #[test]
    fn times_of_certificates_are_read() {
        assert_eq!(read_asn1(b"270115080000Z", true), MOMENT);
        assert_eq!(read_asn1(b"20270115080000Z", false), MOMENT);
        assert_eq!(read_asn1(b"700101000000Z", true), Some(0));
        assert_eq!(read_asn1(b"491231235959Z", true), read_asn1(b"20491231235959Z", false));
        for digits in [
            "",
            "2701150800Z",
            "270115080000",
            "690101000000Z",
            "500101000000Z",
            "271315080000Z",
            "270132080000Z",
            "27011508000+Z",
            "2701150800000Z",
        ] {
            assert_eq!(read_asn1(digits.as_bytes(), true), None, "{digits}");
        }
    }

    #[test]
    fn days_match_the_calendar() {
        for (date, days) in [((1970, 1, 1), 0), ((2000, 2, 29), 11_016), ((2027, 1, 15), 20_833)] {
            assert_eq!(days_from_civil(date.0, date.1, date.2), days);
            assert_eq!(civil_from_days(days), date);
        }
    }

    #[test]
    fn the_two_are_each_others_inverse() {
        for days in 0..200_000 {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }
}
