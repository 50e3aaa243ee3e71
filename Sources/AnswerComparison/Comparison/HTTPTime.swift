// Wingmirror · Apache-2.0
// Times of cookies: RFC 6265 §5.1.1, which reads those of other fields (RFC 9110 §5.6.7) too.

import OctetText

/// Times as cookies and response fields write them.
enum HTTPTime {
    /// The first second of 1980: nobody's content or cookie is meant to last until a time before it.
    static let sensible = 315_532_800

    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        .map { Array($0.utf8) }

    /// The seconds since the Unix epoch that a text names; `nil` when it names no time.
    ///
    /// Takes what browsers take: a clock time, a day, a month and a year in any order, with anything between them.
    static func seconds(_ octets: [UInt8]) -> Int? {
        var clock: String?
        var day: Int?
        var month: Int?
        var year: Int?
        for word in octets.split(whereSeparator: isDelimiter) {
            if clock == nil, let found = clockTime(word) {
                clock = found
            } else if day == nil, let found = number(word, digits: 1...2) {
                day = found
            } else if month == nil, let found = months.firstIndex(of: word.prefix(3).map(ASCII.lowered)) {
                month = found + 1
            } else if year == nil, let found = number(word, digits: 2...4) {
                year = found < 70 ? found + 2000 : found < 100 ? found + 1900 : found
            }
        }
        guard let clock, let day, let month, let year, year >= 1601 else { return nil }
        return InternetTime.seconds("\(year)-\(twoDigits(month))-\(twoDigits(day))T\(clock)Z").map { Int($0) }
    }

    private static func isDelimiter(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x09, 0x20...0x2F, 0x3B...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }

    /// A clock time, `h:m:s`, with two digits each.
    private static func clockTime(_ word: ArraySlice<UInt8>) -> String? {
        let parts = word.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        let numbers = parts.compactMap { number($0, digits: 1...2) }
        guard parts.count == 3, numbers.count == 3 else { return nil }
        return numbers.map(twoDigits).joined(separator: ":")
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }

    /// The number that a word begins with, if it has so many digits.
    private static func number(_ word: ArraySlice<UInt8>, digits: ClosedRange<Int>) -> Int? {
        let text = word.prefix { 0x30...0x39 ~= $0 }
        guard digits.contains(text.count) else { return nil }
        return text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
