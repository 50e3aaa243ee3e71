// Wingmirror · Apache-2.0

import OctetText
public import TrafficModel

/// The field that says that a request is shadow traffic: `wingmirror-shadow: <node>;hops=1;minute=<number>;code=<hex>`.
///
/// Every copy bears it, and no setting takes it off. Whatever bears it is never mirrored. What is counted apart from
/// production's traffic is only what bears a code that `ShadowSeal` verifies, since any client can send the field.
public struct ShadowMarker: Sendable, Hashable {
    /// The name of the field.
    public static let fieldName = "wingmirror-shadow"

    /// The node that sent the copy, as a token.
    public let node: String
    /// How many times the request has been copied.
    public let hops: Int

    /// Makes the marker of a copy of an original request; what may not stand in a token becomes a hyphen.
    init(node: String, hops: Int = 1) {
        let octets = node.utf8.prefix(Self.maximumNodeOctets).map { ASCII.isTokenOctet($0) ? $0 : UInt8(ascii: "-") }
        self.node = octets.isEmpty ? "unknown" : String(decoding: octets, as: UTF8.self)
        self.hops = hops
    }

    /// As long as the longest name of a host.
    private static let maximumNodeOctets = 253

    /// The value of the field.
    var fieldValue: String { "\(node);hops=\(hops)" }

    // MARK: - Reading

    /// How many times a request has been copied, by its marker: 0 without one, and 1 at least with one, whatever it says.
    public static func hops(of request: borrowing RequestView) -> Int {
        var hops = 0
        for index in request.fields.indices {
            let line = request.fields[index]
            guard request.octets.matches(line.name, "wingmirror-shadow") else { continue }
            hops = max(hops, Self.hops(inValue: request.octets.extracting(line.value)))
        }
        return hops
    }

    /// How many times a request with a marker of this value has been copied; 1 at least.
    static func hops(inValue value: Span<UInt8>) -> Int {
        guard let hops = parameter("hops=", of: value, value.indices) else { return 1 }
        return number(value, hops)
    }

    /// The minute and the code that a marker carries; `nil` without both in their form.
    static func stamp(_ octets: Span<UInt8>, _ value: Range<Int>) -> (minute: Int64, code: UInt64)? {
        guard let code = parameter("code=", of: octets, value), code.count == 16,
            let digits = parameter("minute=", of: octets, value), digits.count <= 12,
            let minute = DecimalText.number(octets, digits)
        else { return nil }
        var number: UInt64 = 0
        for index in code {
            guard let digit = ASCII.hexadecimalValue(octets[index]) else { return nil }
            number = number << 4 | UInt64(digit)
        }
        return (minute, number)
    }

    /// The value of a parameter behind a semicolon, its name with the equals sign; `nil` without one, or if it is empty.
    private static func parameter(_ name: StaticString, of octets: Span<UInt8>, _ value: Range<Int>) -> Range<Int>? {
        let length = name.utf8CodeUnitCount
        var parameter = octets.find(UInt8(ascii: ";"), in: value)
        while parameter < value.upperBound {
            let end = octets.find(UInt8(ascii: ";"), in: parameter + 1..<value.upperBound)
            let text = octets.trimmed(parameter + 1..<end)
            if text.count > length, octets.matches(text.prefix(length), name) { return text.dropFirst(length) }
            parameter = end
        }
        return nil
    }

    /// A number of up to four digits; more hops than that are as bad as any.
    private static func number(_ value: Span<UInt8>, _ range: Range<Int>) -> Int {
        var number = 0
        for index in range {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= value[index] else { return 1 }
            number = min(number * 10 + Int(value[index] - UInt8(ascii: "0")), 9999)
        }
        return max(1, number)
    }
}
