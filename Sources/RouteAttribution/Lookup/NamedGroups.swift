// Wingmirror · Apache-2.0

/// Named groups of regular expressions, which RE2 before 2023 only knows as `(?P<name>…)`.
enum NamedGroups {
    /// A pattern with `(?P<` for every `(?<` that begins a named group.
    ///
    /// What stands behind a backslash, between brackets or in a quotation (`\Q…\E`) begins none, and `(?<=` and `(?<!` are
    /// no groups of RE2.
    static func inOldSyntax(_ pattern: String) -> String {
        guard pattern.utf8.contains(UInt8(ascii: "<")) else { return pattern }
        let octets = Array(pattern.utf8)
        let group: [UInt8] = [UInt8(ascii: "("), UInt8(ascii: "?"), UInt8(ascii: "<")]
        var starts = octets.indices.dropLast(group.count).filter { octets[$0..<$0 + group.count].elementsEqual(group) }
        guard !starts.isEmpty else { return pattern }
        var result: [UInt8] = []
        result.reserveCapacity(octets.count + starts.count)
        var index = 0
        while index < octets.count {
            let end = endOfUnit(octets, index)
            result += octets[index..<end]
            if starts.first == index {
                let next = octets[index + group.count]
                if next != UInt8(ascii: "="), next != UInt8(ascii: "!") {
                    result += [UInt8(ascii: "?"), UInt8(ascii: "P"), UInt8(ascii: "<")]
                    index += group.count
                    starts.removeFirst()
                    continue
                }
            }
            index = end
            while let start = starts.first, start < index { starts.removeFirst() }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Where what begins at `index` ends: an escape, a quotation, a class in brackets, or one octet.
    private static func endOfUnit(_ octets: [UInt8], _ index: Int) -> Int {
        switch octets[index] {
        case UInt8(ascii: "\\"):
            guard index + 1 < octets.count, octets[index + 1] == UInt8(ascii: "Q") else {
                return min(index + 2, octets.count)
            }
            var end = index + 2
            while end + 1 < octets.count, octets[end] != UInt8(ascii: "\\") || octets[end + 1] != UInt8(ascii: "E") {
                end += 1
            }
            return min(end + 2, octets.count)
        case UInt8(ascii: "["): return endOfClass(octets, index)
        default: return index + 1
        }
    }

    /// Where a class ends; a bracket right behind its beginning is a member of it.
    private static func endOfClass(_ octets: [UInt8], _ start: Int) -> Int {
        var index = start + 1
        if index < octets.count, octets[index] == UInt8(ascii: "^") { index += 1 }
        if index < octets.count, octets[index] == UInt8(ascii: "]") { index += 1 }
        while index < octets.count, octets[index] != UInt8(ascii: "]") {
            if octets[index] == UInt8(ascii: "\\") {
                index += 1
            } else if octets[index] == UInt8(ascii: "["), index + 1 < octets.count,
                octets[index + 1] == UInt8(ascii: ":")
            {
                // A named class, such as `[:alpha:]`, has a bracket of its own.
                var end = index + 2
                while end + 1 < octets.count, octets[end] != UInt8(ascii: ":") || octets[end + 1] != UInt8(ascii: "]") {
                    end += 1
                }
                if end + 1 < octets.count { index = end + 1 }
            }
            index += 1
        }
        return min(index + 1, octets.count)
    }
}
