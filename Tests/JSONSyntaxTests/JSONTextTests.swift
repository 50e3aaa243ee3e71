// Wingmirror · Apache-2.0

import JSONSyntax
import Testing

@Suite struct JSONTextTests {
    @Test func `commas stand between members and entries only`() {
        var json = JSONText()
        json.beginObject()
        json.key("a")
        json.beginList()
        json.integer(1)
        json.integer(2)
        json.beginObject()
        json.endObject()
        json.endList()
        json.key("b")
        json.null()
        json.endObject()
        #expect(String(decoding: json.octets, as: UTF8.self) == #"{"a":[1,2,{}],"b":null}"#)
    }

    @Test(arguments: [
        (0, "0"), (1_000_000, "1"), (333_333, "0.333333"), (900_000, "0.9"), (12_500_000, "12.5"), (1, "0.000001"),
        (-17_900, "-0.0179"),
    ])
    func `millionths have no superfluous digits`(value: Int, text: String) {
        var json = JSONText()
        json.millionths(value)
        #expect(String(decoding: json.octets, as: UTF8.self) == text)
    }

    @Test(arguments: [
        ("\u{80}", "\\u0080"), ("a\u{9B}31m", "a\\u009b31m"), ("\u{202A}\u{202E}", "\\u202a\\u202e"),
        ("\u{2066}b\u{2069}", "\\u2066b\\u2069"), ("\u{A0}", "\u{A0}"), ("\u{2029}\u{2065}", "\u{2029}\u{2065}"),
    ])
    func `what would move a terminal's text is escaped`(text: String, written: String) {
        var json = JSONText()
        json.string(text)
        #expect(json.octets.elementsEqual("\"\(written)\"".utf8))
    }

    @Test(arguments: [
        "", "plain", "\"\\/\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}", "ä€😀", "\u{2028}", "\u{80}\u{9B}x\u{A0}",
        "a\u{202E}\u{2066}\u{2069}b\u{206A}",
    ])
    func `what is written as a string is read as the same string`(text: String) throws {
        var json = JSONText()
        json.string(text)
        #expect(try JSONDocument.parse(json.octets) == .string(text))
        var octets = JSONText()
        octets.string(Array(text.utf8).span)
        #expect(octets.octets == json.octets)
    }

    @Test func `octets that are no text become replacement characters`() throws {
        var json = JSONText()
        json.string([0x61, 0xFF, 0x62].span)
        #expect(try JSONDocument.parse(json.octets) == .string("a\u{FFFD}b"))
    }

    /// Strings are looked at eight octets at a time, so each octet stands once at each place of a word, and behind it.
    @Test func `every octet at every place of a string is escaped where it must be, and nowhere else`() throws {
        for length in 1...19 {
            for place in 0..<length {
                for octet in UInt8(0)..<0x80 {
                    var octets = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                    octets[place] = octet
                    let text = String(decoding: octets, as: UTF8.self)
                    var json = JSONText()
                    json.string(text)
                    let mustEscape = octet < 0x20 || [0x22, 0x5C, 0x7F].contains(octet)
                    guard json.octets.contains(UInt8(ascii: "\\")) == mustEscape,
                        try JSONDocument.parse(json.octets) == .string(text)
                    else {
                        Issue.record("octet \(octet) at \(place) of \(length)")
                        return
                    }
                }
            }
        }
    }

    @Test func `a key of any text is read as the same text`() throws {
        var json = JSONText()
        json.beginObject()
        json.key(named: #"a "quoted" \ key"#)
        json.bool(true)
        json.key("plain")
        json.bool(false)
        json.endObject()
        let value = try JSONDocument.parse(json.octets)
        #expect(value[#"a "quoted" \ key"#] == .bool(true))
        #expect(value["plain"] == .bool(false))
    }

    @Test(arguments: [
        (0, "0"), (1, "0.000000001"), (999_999_999, "0.999999999"), (1_000_000_000, "1"), (1_500_000_000, "1.5"),
        (100_000_000, "0.1"), (120_000_000, "0.12"), (-250_000_000, "-0.25"), (60_000_000_000, "60"),
        (Int64.min, "-9223372036.854775808"), (Int64.max, "9223372036.854775807"),
    ])
    func `seconds are exact and have no superfluous digits`(nanoseconds: Int64, text: String) {
        var json = JSONText()
        json.seconds(nanoseconds: nanoseconds)
        #expect(String(decoding: json.octets, as: UTF8.self) == text)
    }

    @Test(arguments: [0, 9, 10, 99, 100, 12_345, -1, Int.min, Int.max])
    func `a whole number has the digits that the standard library gives it`(value: Int) {
        var json = JSONText()
        json.integer(value)
        #expect(String(decoding: json.octets, as: UTF8.self) == String(value))
    }

    /// Digits are made eight at a time.
    @Test func `numbers around each power of ten have the digits that the standard library gives them`() {
        var power = 1
        for _ in 0..<19 {
            for value in [power - 1, power, power + 1, power / 2 + 7, -power, power &* 9] {
                var json = JSONText()
                json.integer(value)
                #expect(String(decoding: json.octets, as: UTF8.self) == String(value))
            }
            power = power &* 10
        }
    }

    @Test func `a fraction of a second has its digits up to the last that is not zero`() {
        var unit = 1
        for places in (1...9).reversed() {
            for digit in [1, 4, 9, 10, 25, 99, 1001] where digit * unit < 1_000_000_000 {
                let digits = String(digit)
                guard !digits.hasSuffix("0"), digits.count <= places else { continue }
                var json = JSONText()
                json.seconds(nanoseconds: Int64(digit * unit))
                json.endLine()
                if unit % 1000 == 0 {
                    json.millionths(digit * unit / 1000)
                } else {
                    json.seconds(nanoseconds: Int64(digit * unit))
                }
                let text = "0." + String(repeating: "0", count: places - digits.count) + digits
                #expect(String(decoding: json.octets, as: UTF8.self) == "\(text)\n\(text)")
            }
            unit *= 10
        }
    }

    @Test(arguments: [
        (0x0000_0000, 0, "0.0.0.0:0"), (0x0A00_0909, 80, "10.0.9.9:80"), (0xC0A8_6463, 8080, "192.168.100.99:8080"),
        (0xFFFF_FFFF, 65535, "255.255.255.255:65535"), (0x010A_64C8, 9999, "1.10.100.200:9999"),
    ])
    func `an address has its four numbers and its port`(address: UInt32, port: UInt16, text: String) {
        var json = JSONText()
        json.beginList()
        json.string(address: address, port: port)
        json.string(address: address, port: port)
        json.endList()
        #expect(String(decoding: json.octets, as: UTF8.self) == "[\"\(text)\",\"\(text)\"]")
    }

    @Test func `every number of an address is written as the standard library writes it`() {
        for number in UInt32(0)...255 {
            var json = JSONText()
            json.string(address: number << 24 | number << 16 | number << 8 | number, port: UInt16(number) * 257)
            let expected = "\"\(number).\(number).\(number).\(number):\(number * 257)\""
            #expect(String(decoding: json.octets, as: UTF8.self) == expected)
        }
    }

    /// The text of a second is kept for the times after it, so times are written in an order that leaves it and comes back.
    @Test func `times of several seconds have each their own text`() {
        let times: [(nanoseconds: Int64, text: String)] = [
            (0, "1970-01-01T00:00:00.000000Z"), (999_999_999, "1970-01-01T00:00:00.999999999Z"),
            (1_000_000_000, "1970-01-01T00:00:01.000000Z"), (999_999_000, "1970-01-01T00:00:00.999999Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"), (-1_000_000_000, "1969-12-31T23:59:59.000000Z"),
            (0, "1970-01-01T00:00:00.000000Z"), (.min, "1677-09-21T00:12:43.145224192Z"),
            (.max, "2262-04-11T23:47:16.854775807Z"), (.min, "1677-09-21T00:12:43.145224192Z"),
        ]
        var json = JSONText()
        for time in times {
            json.time(nanoseconds: time.nanoseconds)
            json.endLine()
        }
        let lines = String(decoding: json.octets, as: UTF8.self).split(separator: "\n")
        #expect(lines.map(String.init) == times.map { "\"\($0.text)\"" })
    }

    @Test func `a text that outgrows its memory, and one that begins anew in it, is whole`() throws {
        var json = JSONText()
        for round in 0..<2 {
            json.beginObject()
            for index in 0..<300 {
                json.key(named: "key \(index)")
                json.string(String(repeating: "x", count: index))
            }
            json.endObject()
            let value = try JSONDocument.parse(json.octets)
            #expect(value["key 0"] == .string(""))
            #expect(value["key 299"] == .string(String(repeating: "x", count: 299)))
            #expect(json.count == json.octets.count, "round \(round)")
            json.removeAll()
            #expect(json.count == 0)
        }
    }

    @Test func `behind a piece that stands in the code a comma comes where one belongs`() {
        var json = JSONText()
        json.piece(#"{"a":"#)
        json.integer(1)
        json.piece(#","b":["#)
        json.integer(2)
        json.integer(3)
        json.endList()
        json.key("c")
        json.beginObject()
        json.endObject()
        json.piece(#","d":null"#)
        json.key("e")
        json.bool(true)
        json.piece("}\n")
        json.beginList()
        json.endList()
        #expect(String(decoding: json.octets, as: UTF8.self) == #"{"a":1,"b":[2,3],"c":{},"d":null,"e":true}"# + "\n[]")
    }

    @Test(arguments: [0, 9, 10, -1, -9, 255, 99_999_999, 100_000_000, Int.min, Int.max])
    func `a number behind a piece has the digits that the standard library gives it`(value: Int) {
        var json = JSONText()
        json.beginList()
        json.piece(#"{"a":"#, value)
        json.endObject()
        json.null()
        json.endList()
        #expect(String(decoding: json.octets, as: UTF8.self) == #"[{"a":\#(value)},null]"#)
    }

    @Test func `what has been written can be looked at without a copy`() {
        var json = JSONText()
        var seen: [UInt8] = [1]
        json.withOctets { octets in
            if octets.isEmpty { seen = [] }
        }
        #expect(seen == [])
        json.string("a")
        json.withOctets { octets in
            for index in octets.indices { seen.append(octets[index]) }
        }
        #expect(seen == json.octets)
    }

    @Test func `what stands in the code is written as it is, with commas where they belong`() {
        var json = JSONText()
        json.beginObject()
        json.word(#""a":1,"b":2"#)
        json.key("c")
        json.string("d")
        json.key("e")
        json.bool(false)
        json.endObject()
        #expect(String(decoding: json.octets, as: UTF8.self) == #"{"a":1,"b":2,"c":"d","e":false}"#)
    }
}
