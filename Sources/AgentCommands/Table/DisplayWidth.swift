// Wingmirror · Apache-2.0
// Columns of a terminal that characters take: UAX #11, East Asian Width.

extension Character {
    /// How many columns a terminal gives the character: none, one or two.
    var displayWidth: Int {
        guard let first = unicodeScalars.first else { return 0 }
        if unicodeScalars.count > 1, unicodeScalars.contains(where: { $0.properties.isEmojiPresentation }) { return 2 }
        // Marks and joiners after the first scalar take no column of their own.
        return first.displayWidth
    }
}

extension StringProtocol {
    /// How many columns a terminal gives the text.
    var displayWidth: Int {
        utf8.allSatisfy { $0 < 0x80 } ? utf8.count : reduce(0) { $0 + $1.displayWidth }
    }

    /// The longest beginning that fits into some columns.
    func prefix(columns: Int) -> SubSequence {
        var width = 0
        return prefix { character in
            width += character.displayWidth
            return width <= columns
        }
    }
}

extension Unicode.Scalar {
    fileprivate var displayWidth: Int {
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control, .surrogate: 0
        default: isWide ? 2 : 1
        }
    }

    /// Whether the scalar is wide or full-width, or a picture that terminals show as such.
    private var isWide: Bool {
        switch value {
        case 0..<0x1100: false
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
            0x20000...0x3FFFD:
            true
        default: properties.isEmojiPresentation
        }
    }
}

extension String {
    /// The text, its end cut off if it takes more columns.
    func cut(to columns: Int) -> String {
        displayWidth <= columns ? self : String(prefix(columns: max(columns - 1, 0))) + (columns > 0 ? "…" : "")
    }

    /// The text, its middle cut out if it takes more columns: a third of what stays is its beginning, the rest its end.
    func cutInTheMiddle(to columns: Int) -> String {
        guard displayWidth > columns, columns > 2 else { return cut(to: columns) }
        let end = (columns - 1) * 2 / 3
        let backwards = String(reversed())
        return String(prefix(columns: columns - 1 - end)) + "…" + String(backwards.prefix(columns: end).reversed())
    }
}

extension String {
    /// The text with control characters made visible as one-column pictures, so that none reaches a terminal.
    ///
    /// Whatever would move the cursor, change the direction of text or be no column at all is shown as what it is.
    var withVisibleControls: String {
        guard unicodeScalars.contains(where: \.isControlling) else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.map { $0.isControlling ? $0.picture : $0 }))
    }
}

extension Unicode.Scalar {
    fileprivate var isControlling: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: false
        }
    }

    /// A picture of a control character: U+2400 and following for those of ASCII.
    fileprivate var picture: Unicode.Scalar {
        switch value {
        case 0..<0x20: Unicode.Scalar(0x2400 + value) ?? "\u{FFFD}"
        case 0x7F: "\u{2421}"
        default: "\u{FFFD}"
        }
    }
}
