// Wingmirror · Apache-2.0
// The Gregorian calendar without time zones, as RFC 3339 writes it.

/// A day of the Gregorian calendar.
struct CivilDate {
    let daysSinceEpoch: Int64
    let year: Int
    let month: Int
    let day: Int

    /// Counts in eras of 400 years that begin in March, so that the leap day is the last of its year.
    init(daysSinceEpoch: Int64) {
        self.daysSinceEpoch = daysSinceEpoch
        let shifted = Int(daysSinceEpoch) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
