import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4, formatIpv6, formatMac } from '../../../../src/kernel/linux/net/address.js';

test('IPv6 addresses as RFC 5952 writes them', () => {
  // Section 4 and 5 of the RFC, and its cases of equal runs.
  const cases: Readonly<Record<string, string>> = {
    '20010db8000000000000000000000001': '2001:db8::1',
    '20010db8000000000001000000000001': '2001:db8::1:0:0:1',
    '20010db8000000010001000100010001': '2001:db8:0:1:1:1:1:1',
    '20010000000000010000000000000001': '2001:0:0:1::1',
    '00000000000000000000000000000000': '::',
    '00000000000000000000000000000001': '::1',
    fe800000000000000000000000000000: 'fe80::',
    '00000000000000000000ffffc0000201': '::ffff:192.0.2.1',
    '20010db8aaaabbbbccccddddeeee0001': '2001:db8:aaaa:bbbb:cccc:dddd:eeee:1',
  };
  for (const [hex, text] of Object.entries(cases)) assert.equal(formatIpv6(Buffer.from(hex, 'hex')), text);
});

test('IPv4 and hardware addresses', () => {
  assert.equal(formatIpv4(Buffer.from([10, 9, 8, 255])), '10.9.8.255');
  assert.equal(formatMac(Buffer.from([0x02, 0x4c, 0x41, 0, 0, 0x0f])), '02:4c:41:00:00:0f');
});
