// Wingmirror · Apache-2.0

import OctetText
import Testing

@Suite struct ASCIITests {
    @Test func `letters of ASCII are made lower case, and nothing else changes`() {
        for octet in UInt8.min...UInt8.max {
            let expected = UInt8(ascii: "A")...UInt8(ascii: "Z") ~= octet ? octet + 32 : octet
            #expect(ASCII.lowered(octet) == expected)
        }
    }

    @Test func `classes hold the octets that they name`() {
        let all = UInt8.min...UInt8.max
        #expect(all.filter(ASCII.isDigit) == Array("0123456789".utf8))
        #expect(all.filter(ASCII.isLetter) == Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8))
        #expect(all.filter(ASCII.isWhiteSpace) == [0x09, 0x20])
        #expect(all.count(where: ASCII.isTokenOctet) == 77)
        #expect(all.filter { !ASCII.isFieldOctet($0) } == Array(0..<9) + Array(10..<32) + [0x7F])
        #expect(all.filter(ASCII.isTargetOctet) == Array(0x21...0x7E))
    }

    @Test func `an octet is percent-encoded with digits in upper case`() {
        var text: [UInt8] = []
        for octet: UInt8 in [0x00, 0x2F, 0xAB, 0xFF] { text.append(percentEncoded: octet) }
        #expect(text == Array("%00%2F%AB%FF".utf8))
    }

    @Test func `a hexadecimal digit has the value that the standard library gives it`() {
        for octet in UInt8.min...UInt8.max {
            let text = String(decoding: [octet], as: UTF8.self)
            let value =
                octet < 0x80 && octet != UInt8(ascii: "+") && octet != UInt8(ascii: "-") ? UInt8(text, radix: 16) : nil
            #expect(ASCII.hexadecimalValue(octet) == value)
        }
        #expect((UInt8(0)..<16).map(ASCII.hexadecimalDigit) == Array("0123456789abcdef".utf8))
    }
}

@Suite struct SpanTextTests {
    private let octets = Array("Accept:\t gzip ;x".utf8)

    @Test func `a word is found whatever its case, and only as long as it is`() {
        let span = octets.span
        let matches = span.matches(0..<6, "accept")
        let isShorter = span.matches(0..<5, "accept")
        let isOther = span.matches(0..<6, "accepx")
        #expect(matches && !isShorter && !isOther)
    }

    @Test func `parts are compared with or without case`() {
        let other = Array("xaccept".utf8)
        let folded = octets.span.equals(0..<6, other.span, 1..<7, ignoringCase: true)
        let exact = octets.span.equals(0..<6, other.span, 1..<7, ignoringCase: false)
        let longer = octets.span.equals(0..<6, other.span, 0..<7, ignoringCase: true)
        #expect(folded && !exact && !longer)
    }

    @Test func `white space at the ends is taken off`() {
        let trimmed = octets.span.trimmed(7..<14)
        let empty = octets.span.trimmed(7..<9)
        #expect(trimmed == 9..<13)
        #expect(empty.isEmpty)
    }

    @Test func `an octet is found, or the end`() {
        let found = octets.span.find(UInt8(ascii: ";"), in: 0..<16)
        let none = octets.span.find(UInt8(ascii: ";"), in: 0..<10)
        #expect(found == 14)
        #expect(none == 10)
    }
}

@Suite struct DecimalTextTests {
    @Test(
        arguments: [
            ("0", 0), ("007", 7), ("9223372036854775807", .max), ("9223372036854775808", nil),
            ("99999999999999999999", nil),
            ("", nil), ("-1", nil), ("+1", nil), (" 1", nil), ("1a", nil), ("１", nil),
        ] as [(String, Int64?)]
    )
    func `digits name a number that fits`(text: String, number: Int64?) {
        let octets = Array(text.utf8)
        #expect(DecimalText.number(octets) == number)
        let inPlace = DecimalText.number(octets.span, octets.indices)
        #expect(inPlace == number)
    }

    @Test func `a number is written with zeros in front`() {
        var text: [UInt8] = []
        text.append(decimal: 7, width: 3)
        text.append(decimal: 2026, width: 4)
        #expect(text == Array("0072026".utf8))
    }
}

@Suite struct HexadecimalTextTests {
    @Test func `a number has its digits with zeros in front`() {
        #expect(HexadecimalText.digits(of: 0) == "0000000000000000")
        #expect(HexadecimalText.digits(of: 0x0123_4567_89AB_CDEF) == "0123456789abcdef")
        #expect(HexadecimalText.digits(of: 0xDEAD_BEEF_0000_0000, count: 8) == "deadbeef")
    }
}

@Suite struct Base64TextTests {
    @Test(arguments: [
        ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"),
        ("Zm9vYmFy", "foobar"),
    ])
    func `the test vectors of RFC 4648 section 10 hold`(text: String, octets: String) {
        #expect(Base64Text.octets(text.utf8) == Array(octets.utf8))
        #expect(Base64Text.encoded(Array(octets.utf8)) == Array(text.utf8))
    }

    @Test(arguments: ["Z", "Zg=", "Zg", "Z===", "====", "Zm9v=", "Zm 9", "=Zm9", "Zm9-", "Zm9_", "Zg==Zg==", "Zm\n9"])
    func `what is no base64 is refused`(text: String) {
        #expect(Base64Text.octets(text.utf8) == nil)
    }

    @Test func `octets of every length come back`() {
        var generator = SeededGenerator(seed: 64)
        for count in 0..<100 {
            let octets = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            #expect(Base64Text.octets(Base64Text.encoded(octets)) == octets)
        }
    }
}

@Suite struct DurationNanosecondsTests {
    @Test(
        arguments: [
            (Duration.zero, 0), (.nanoseconds(1), 1), (.nanoseconds(-1), -1), (.milliseconds(-1500), -1_500_000_000),
            (Duration(secondsComponent: 0, attosecondsComponent: 1_999_999_999), 1),
            (.nanoseconds(Int64.max), .max), (.nanoseconds(Int64.min), .min),
            (.nanoseconds(Int64.max) + .nanoseconds(1), .max), (.nanoseconds(Int64.min) - .nanoseconds(1), .min),
            (.seconds(Int64.max), .max), (.seconds(Int64.min), .min),
        ] as [(Duration, Int64)]
    )
    func `a duration is its whole nanoseconds, or the nearest that fit`(duration: Duration, nanoseconds: Int64) {
        #expect(duration.nanoseconds == nanoseconds)
    }
}

@Suite struct AddressTextTests {
    @Test(
        arguments: [
            (0, 0, "::"), (0, 1, "::1"), (0x2001_0DB8_0000_0000, 1, "2001:db8::1"),
            // Two runs of the same length: the first is compressed (§4.2.3).
            (0x2001_0DB8_0000_0000, 0x0001_0000_0000_0001, "2001:db8::1:0:0:1"),
            // One group of zeros is written out (§4.2.2).
            (0x2001_0DB8_0000_0001, 0x0001_0001_0001_0001, "2001:db8:0:1:1:1:1:1"),
            (0x2001_0000_0000_0001, 0x0000_0000_0000_0001, "2001:0:0:1::1"),
            (0x0001_0000_0000_0000, 0, "1::"), (0, 0x0000_FFFF_C000_0201, "192.0.2.1"),
            (0xFE80_0000_0000_0000, 0xABCD_00EF_0001_FFFF, "fe80::abcd:ef:1:ffff"),
        ] as [(UInt64, UInt64, String)]
    )
    func `an address has the one form of RFC 5952`(high: UInt64, low: UInt64, text: String) {
        var written = ""
        AddressText.write(high: high, low: low, to: &written)
        #expect(written == text)
    }
}

@Suite struct FNV1aTests {
    /// Vectors of the authors' `test_fnv.c`.
    @Test(
        arguments: [
            ("", 0xCBF2_9CE4_8422_2325), ("a", 0xAF63_DC4C_8601_EC8C), ("foobar", 0x8594_4171_F739_67E8),
        ] as [(String, UInt64)]
    )
    func `the published vectors hold`(text: String, value: UInt64) {
        var hash = FNV1a()
        hash.combine(text.utf8)
        #expect(hash.value == value)
    }
}

@Suite struct SeededGeneratorTests {
    /// The first outputs of `splitmix64.c` by Vigna for the seed 1234567.
    @Test func `the published sequence comes out`() {
        var generator = SeededGenerator(seed: 1_234_567)
        let numbers = (0..<5).map { _ in generator.next() }
        #expect(
            numbers == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ]
        )
    }

    @Test func `a number falls between 0 and 1, without 1`() {
        #expect(SeededGenerator.fraction(0) == 0)
        #expect(SeededGenerator.fraction(.max) < 1)
    }
}

@Suite struct PercentDecoderTests {
    private func decoded(_ text: String, isForm: Bool = false) -> (text: String, isMalformed: Bool) {
        let octets = Array(text.utf8)
        var decoder = PercentDecoder(octets.span, octets.indices, isForm: isForm)
        var result: [UInt8] = []
        while let octet = decoder.next() { result.append(octet) }
        return (String(decoding: result, as: UTF8.self), decoder.isMalformed)
    }

    @Test(arguments: [
        ("a%2Fb", "a/b", false), ("%25%32%35", "%25", false), ("a+b", "a+b", false), ("%zz", "%zz", true),
        ("%", "%", true), ("%4", "%4", true), ("%c3%a4", "ä", false),
    ])
    func `percent-encoding is taken off once`(text: String, result: String, isMalformed: Bool) {
        let found = decoded(text)
        #expect(found.text == result)
        #expect(found.isMalformed == isMalformed)
    }

    @Test func `a plus sign is a space in forms`() {
        #expect(decoded("a+b%2B", isForm: true).text == "a b+")
    }

    @Test func `a word is recognised through its encoding and case`() {
        let octets = Array("P%55t".utf8)
        var decoder = PercentDecoder(octets.span, octets.indices)
        let isWord = decoder.isWord("put")
        var longer = PercentDecoder(octets.span, octets.indices)
        let isPart = longer.isWord("pu")
        #expect(isWord && !isPart)
    }
}

@Suite struct OctetRunTests {
    @Test func `octets are ASCII only if each of them is, wherever it stands`() {
        for length in 0...25 {
            var octets = [UInt8](repeating: 0x7F, count: length)
            let isASCII = octets.span.isASCII
            #expect(isASCII)
            for place in 0..<length {
                octets[place] = 0x80
                let isASCII = octets.span.isASCII
                #expect(!isASCII, "\(place) of \(length)")
                octets[place] = 0x7F
            }
        }
    }

    @Test func `a run is added behind what is there`() {
        var octets: [UInt8] = [1]
        let run = Array(UInt8(2)...40)
        octets.append(addingCapacity: 39) { output in
            output.append(copying: run.span)
            output.append(copying: [UInt8]().span)
        }
        #expect(octets == Array(1...40))
    }

    @Test func `numbers have the digits that the standard library gives them`() {
        var limit: UInt = 1
        var numbers: [UInt] = [0, .max]
        while limit < .max / 10 {
            numbers += [limit - 1, limit, limit + 1]
            limit *= 10
        }
        for number in numbers {
            var octets: [UInt8] = []
            octets.append(addingCapacity: 20) { $0.append(number: number) }
            #expect(String(decoding: octets, as: UTF8.self) == String(number))
        }
    }
}
