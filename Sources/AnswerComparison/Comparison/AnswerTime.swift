// Wingmirror · Apache-2.0
// Times: RFC 3339; RFC 9110 §5.6.7.

import JSONSyntax
import OctetText

/// Times that say when an answer was made, or until when it holds.
///
/// Two places that run the same version need not agree on them. Other times are data: when a user was born, or an order was
/// placed.
enum AnswerTime {
    /// When two answers were made, in seconds since the Unix epoch.
    struct Moments: Sendable, Hashable {
        let production: Double?
        let candidate: Double?

        /// Takes what is known; a moment outside of the years in which answers are made says nothing.
        init(_ production: Double?, _ candidate: Double?) {
            self.production = production.flatMap { sensible.contains($0) ? $0 : nil }
            self.candidate = candidate.flatMap { sensible.contains($0) ? $0 : nil }
        }
    }

    /// From 2014 to 2036: numbers of other sizes count something else.
    private static let sensible = 1.4e9...2.1e9
    private static let day = 86_400.0
    private static let hour = 3600.0
    /// Time zones differ by quarters of an hour, and by 26 hours at most.
    private static let quarter = 900.0
    private static let widestZones = 26 * hour
    /// Seconds, and thousandths, millionths and thousand-millionths of them.
    private static let units = [1, 1e3, 1e6, 1e9]
    /// How long something that was made just now may be meant to last.
    private static let longestLife = 400 * day
    /// How far a lifetime of whole hours may be off, since an answer takes its time.
    private static let slack = 5.0

    /// Whether two texts are times of their answers; a day without a clock time says too little to be one.
    static func areTimes(_ first: [UInt8], _ second: [UInt8], of moments: Moments) -> Bool {
        guard FormatClass(first) == .time, FormatClass(second) == .time, first.count > 10, second.count > 10,
            let ours = TextTime.seconds(first), let theirs = TextTime.seconds(second)
        else { return false }
        return areTimes(ours, theirs, of: moments)
    }

    /// Whether two numbers are times of their answers, in seconds, or thousandths, millionths or thousand-millionths of them.
    ///
    /// A whole number that has only lost precision is none.
    static func areTimes(_ first: JSONValue, _ second: JSONValue, of moments: Moments) -> Bool {
        guard let ours = first.number, let theirs = second.number else { return false }
        if ours == theirs { return false }
        return units.contains { areTimes(ours / $0, theirs / $0, of: moments) }
    }

    /// Whether two texts that are times of their answers are off by whole quarters of an hour, as in another time zone.
    ///
    /// Each is held against when its answer was made, and must be now, or whole quarters from it: what two places cached may lie any
    /// time apart, and for as long as it is cached.
    static func areShifted(_ first: [UInt8], _ second: [UInt8], of moments: Moments) -> Bool {
        guard let ours = TextTime.seconds(first), let theirs = TextTime.seconds(second) else { return false }
        return areShifted(ours, theirs, of: moments)
    }

    /// Whether two numbers that are times of their answers are.
    static func areShifted(_ first: JSONValue, _ second: JSONValue, of moments: Moments) -> Bool {
        guard let ours = first.number, let theirs = second.number else { return false }
        let unit = units.first { areTimes(ours / $0, theirs / $0, of: moments) }
        return unit.map { areShifted(ours / $0, theirs / $0, of: moments) } ?? false
    }

    private static func areShifted(_ first: Double, _ second: Double, of moments: Moments) -> Bool {
        guard let production = moments.production, let candidate = moments.candidate else { return false }
        let (ours, theirs) = (first - production, second - candidate)
        guard [ours, theirs].allSatisfy({ $0.remainder(dividingBy: quarter).magnitude <= slack }) else { return false }
        return (quarter / 2...widestZones).contains((theirs - ours).magnitude)
    }

    /// Whether what two answers say of how long something lasts, in seconds, is about the same: sessions that are prolonged and
    /// lifetimes that are counted down differ by less than half.
    static func areAsLong(_ first: Double, _ second: Double) -> Bool {
        (first - second).magnitude <= slack || max(first, second) <= 1.5 * min(first, second)
    }

    /// Whether two times, in seconds, are those of their answers; where it is not known when these were made, whether they are
    /// less than a day apart.
    private static func areTimes(_ first: Double, _ second: Double, of moments: Moments) -> Bool {
        guard sensible.contains(first), sensible.contains(second) else { return false }
        guard let production = moments.production, let candidate = moments.candidate else {
            return (first - second).magnitude < day
        }
        return isTime(first, of: production) && isTime(second, of: candidate)
    }

    private static func isTime(_ time: Double, of moment: Double) -> Bool {
        let distance = time - moment
        guard distance.magnitude >= day else { return true }
        guard distance > 0, distance <= longestLife else { return false }
        return distance.remainder(dividingBy: hour).magnitude <= slack
    }
}

/// Times as texts write them: as RFC 3339 does, also without a zone, seconds or a clock time, or as HTTP does.
enum TextTime {
    private static let longest = 40

    /// Seconds since the Unix epoch; `nil` when the text, to its end, is no such time.
    ///
    /// Without a zone it is UTC.
    static func seconds(_ octets: [UInt8]) -> Double? {
        guard (10...longest).contains(octets.count) else { return nil }
        guard octets[4] == UInt8(ascii: "-"), octets[7] == UInt8(ascii: "-") else {
            guard octets.count >= 24, octets[3] == UInt8(ascii: ","), octets.suffix(4).elementsEqual(" GMT".utf8) else {
                return nil
            }
            return HTTPTime.seconds(octets).map(Double.init)
        }
        return InternetTime.seconds(String(decoding: completed(octets), as: UTF8.self)).map(Double.init)
    }

    /// Whether a time is the one that programs start with: that of an empty value, in the year 1, 0 or 1970.
    static func isZero(_ octets: [UInt8]) -> Bool {
        guard octets.count >= 10, octets[4] == UInt8(ascii: "-") else { return false }
        return ["0000-00-00", "0001-01-01", "1970-01-01"].contains { octets.starts(with: $0.utf8) }
    }

    /// A time with what may be left out.
    private static func completed(_ octets: [UInt8]) -> [UInt8] {
        if octets.count == 10 { return octets + Array("T00:00:00Z".utf8) }
        var time = octets
        // Seconds are left out, or come next.
        if time.count >= 16, time.count == 16 || time[16] != UInt8(ascii: ":") {
            time.insert(contentsOf: ":00".utf8, at: 16)
        }
        guard time.count >= 19 else { return time }
        var zone = time[19...].drop { ASCII.isDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ",") }
        let fraction = time[19..<zone.startIndex].map { $0 == UInt8(ascii: ",") ? UInt8(ascii: ".") : $0 }
        if zone.first == 0x20 { zone = zone.dropFirst() }
        let isPlain = zone.count == 5 && [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(zone.first)
        let ending: [UInt8] =
            zone.isEmpty
            ? [UInt8(ascii: "Z")] : isPlain ? zone.prefix(3) + [UInt8(ascii: ":")] + zone.suffix(2) : Array(zone)
        return time[..<19] + fraction + ending
    }
}
