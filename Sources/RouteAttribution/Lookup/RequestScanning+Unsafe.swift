// Wingmirror · Apache-2.0

import COctetScanning

/// Looks at the parts of a request sixteen octets at a time, for the forms that nearly all requests have.
///
/// Each search gives up where it meets anything else; loops over single octets, which know every rule, then start anew.
extension Span where Element == UInt8 {
    /// Where the path of an origin-form target ends, if target and path are in their plainest form.
    ///
    /// The path consists of letters, digits, `-`, `_`, dots and slashes, with neither a dot nor a slash behind a slash, so
    /// that it is in normal form however paths are normalised; the query consists of visible characters other than `#`.
    /// - Parameter target: The target, which begins with a slash.
    /// - Returns: `nil` for all other targets.
    @inline(__always)
    func plainPathEnd(of target: Range<Int>) -> Int? {
        guard count >= 16, target.lowerBound >= 0, target.upperBound <= count else { return nil }
        return unsafe withUnsafeBufferPointer { buffer -> Int? in
            guard let base = buffer.baseAddress else { return nil }
            var index = target.lowerBound
            var isBehindSlash: UInt32 = 0
            while index < target.upperBound {
                let (place, passed) = lastBlock(from: index)
                let octets = unsafe base + place
                let inside = Self.bits(target.upperBound &- index, passed)
                let slashes = unsafe wingmirror_equals(octets, 0x2F) &>> passed & inside
                let dots = unsafe wingmirror_equals(octets, 0x2E) &>> passed & inside
                let others = unsafe ~(wingmirror_names(octets) &>> passed | slashes | dots) & inside
                let behindSlashes = slashes &<< 1 | isBehindSlash
                let path = others == 0 ? inside : (1 &<< UInt32(others.trailingZeroBitCount)) &- 1
                guard behindSlashes & (slashes | dots) & path == 0 else { return nil }
                if others != 0 {
                    let end = index &+ others.trailingZeroBitCount
                    guard unsafe base[end] == 0x3F, isPlainQuery(end..<target.upperBound) else { return nil }
                    return end
                }
                isBehindSlash = slashes &>> 15
                index &+= 16 &- Int(passed)
            }
            return target.upperBound
        }
    }

    /// Whether all octets are visible characters other than `#`.
    @inline(__always)
    private func isPlainQuery(_ range: Range<Int>) -> Bool {
        unsafe consists(of: range) { unsafe wingmirror_visible($0) & ~wingmirror_equals($0, 0x23) }
    }

    /// Whether an authority consists of letters, digits, `-`, `_`, dots and colons.
    @inline(__always)
    func isPlainAuthority(_ authority: Range<Int>) -> Bool {
        unsafe consists(of: authority) {
            unsafe wingmirror_names($0) | wingmirror_equals($0, 0x2E) | wingmirror_equals($0, 0x3A)
        }
    }

    /// Whether all octets of a range are of a kind; `false` also when there are fewer than sixteen octets to look at.
    @inline(__always)
    private func consists(of range: Range<Int>, _ kind: (UnsafePointer<UInt8>) -> UInt32) -> Bool {
        guard count >= 16, range.lowerBound >= 0, range.upperBound <= count else { return false }
        return unsafe withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return false }
            var index = range.lowerBound
            while index < range.upperBound {
                let (place, passed) = lastBlock(from: index)
                let others = unsafe ~kind(base + place) &>> passed
                if others & Self.bits(range.upperBound &- index, passed) != 0 { return false }
                index &+= 16 &- Int(passed)
            }
            return true
        }
    }

    /// Where a block of sixteen octets begins that holds the one at `index`, and how many it holds in front of that.
    ///
    /// There must be sixteen octets, so that the block lies within them: the last one is moved back.
    @inline(__always)
    private func lastBlock(from index: Int) -> (place: Int, passed: UInt32) {
        let place = Swift.min(index, count &- 16)
        return (place, UInt32(truncatingIfNeeded: index &- place))
    }

    /// A bit for each of the octets that are left, as far as a block goes of which some were passed.
    @inline(__always)
    private static func bits(_ left: Int, _ passed: UInt32) -> UInt32 {
        (1 &<< UInt32(truncatingIfNeeded: Swift.min(left, 16 &- Int(passed)))) &- 1
    }
}
