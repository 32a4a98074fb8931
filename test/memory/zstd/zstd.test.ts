import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/property.js';
import { ZstdDecoder } from '../../../src/memory/zstd/zstd.js';

const decoder = new ZstdDecoder();

/** The output, or undefined where the data is damaged or longer. */
function unzstd(source: Buffer, limit: number): Buffer | undefined {
  const target = Buffer.alloc(limit);
  const length = decoder.decode(source, target, 0, limit);
  return length < 0 ? undefined : target.subarray(0, length);
}

const TEXT = Array.from({ length: 120 }, (_, i) => {
  const address = (0xffff888000000000n + BigInt(i) * 0x2a40n).toString(16);
  return `task ${i} of 120 at 0x${address} state ${'RSD'[i % 3]} comm kworker/${i % 4}:${i % 7}\n`;
}).join('');

/** TEXT by `zstd -19` and `zstd -1` (version 1.5.4): Huffman literals in one and in four streams, FSE tables. */
const BEST =
  'KLUv/WQaHL0XADbzchmAqbQNAA3hA2si+q3keGi2yO7uzWEATAOeeABmAGoA5VtY0VWt8uWs8FXm+56y3ZBy/UTZD1qmnyvnscr4cey7ESq2vT' +
  'aFXfcRDT5R4dKNaJk0X1tO4n1W8E4UxNmNGLV6CdjD8k3gRBkAnQIgMAUQHFBQwMCAgQPEYICBORAHCQyIaHfPOWcBGRwIAyobnAMGZFAggTgI' +
  'AenGAubNAfHBLN7PWLRjWKyLXPTpFunpvTwxengTvbsGPXtJvbqdnr/WoxuTlz+Shxch734yzY6XVh9O833Q6EnQ8iSg4UvR7nto9mK0up0zP5' +
  'Ar+glX+dMrvLirO9WVPY9VfRALdEJeFBPwNMzec83aB5qt28z6SmbppZTN1yiL3y17N1jWfla2HqiofwpROg6i+bFE8ZRE72lE7YSI1ssM9XUM' +
  'pZcdmrcciQ828m5opP2MyLoYIn0KIumYIvPDROJtkXc1Ie1kBKxXCOhvBgDoJoKdD7o2/pzadyxz2nZx0K5TOdtPYTadaNl5o228VpnsezmBbL' +
  'ey5PoKJftGk0w/RHJelH1k/DlGvmMpsn0Ik+teIvuJZAp0UmQK+SIyBfyWE+5FnGC3PaEe8AT/1An0C4FoqBEwWVv2nwOR3RkpHBEkWAERToSP' +
  'BH5gVCwEjleG4FgxKGUaY+7eqa/tvdig3rmJ3plpXpmZvPNZvHNTw3uxwbtzk7szU7syM3bpBLZ2DGAcGzCMAbxbCivNptzWLYWVZlNu65bCSr' +
  'Mpt3VLYaXZlNu6pbDSbMpt3VJYaTbltm4prDSbclu3FFaaTbmtWworzabc1i2FlWZTbuuWwkqzKbd1S2Gl2ZTbuqWw0mzKbd1SWGk25bZuKaw0' +
  'm3JbtxRWmk25rVsKK82m3NYthZVmU27rlsJKM163fla37kyXfYM7OtKN/M9l23hvjmVjf7nsGtzJkWrkPy6bxntxLBr7CIk3nPEjorthRk+sUk' +
  'gnonDlTDOuMq8yVF2S8TuiLLTbl3kBoFoT1PSUuns=';
const FAST =
  'KLUv/WQaHKUdAPZ6iRqAJ20DgDggBqaNLODgd1P6XmoSubNxiCp2GIsAfgCCAMdkHdrpEntnhvLpzH6wlLtZrfBsh9bsjJ3MZXnFYq0YGZP9zp' +
  'piN82F9iMcZvcxsf7TtfoNJUn/D265sdrG89AWeyEFO6kWGYUrnhpYMLJJeIU7W5SzgmnisBeOMNkHAYN0AOCCAwoKgQICBIFhYIBghzMUB+nA' +
  'YHBmrrVWgoeDNNg+LILBg4BBOgg3Y9hJUySOKy4ibxh5mLRxZxPJD9M0pscRkqfx8RYlT/dbiqEsphD8QUXKQKsPC+KhzZdDO1kUxPCKuORo5G' +
  'SI8c4uQoxpDiR5hMRJ8fHXIHe6ZMc4Q7lm4P2glXFndeKwO7Tq42cnb6HvimbRGHkZzDuLBYtpJkRiR2jDYQ55hMXFSB8rpTBP1wh1aSgzleUP' +
  'FkM9rcZTzkNrrIydXGrzioPYYmQil5Q7a7KjmCa5xXKE673iYysIK6dbCOLFUKokXH7wCGGsNkfkoS1MFDuJRSLkiolIgxjZJiG5s4OkI6ZJXD' +
  'JyhH868XEpjMnpLmGMoTRj8geTmGJ1cYaMQ3sBAC6c7qX7UZpy/8GFd9Rh90Np2e1Y2a8k2Y1+9sOGFrMfoVr3j0/d1810/6j8vs/4faL2+wMt' +
  '38ejfP80+b6h9P07S4Zv1PxE9ouPUy1iTlelNYyhvFxoftCMdcbqZcvMoUWvGzuZVGFzRROFMTLJIu8sMYpimr+CBIHdqDGMipz9ZwyR5xREHR' +
  'EkDAJmRNAFEyt9Q1+e9Ju3f4/Jk2rrtu1nHvVQXTQyoRoWeYVLqIZFXqESqmGRV5iEahjjibWXFUTCSv21bT8xj8viooyw0lNt20/ypNqobfsJ' +
  'nlTbtG0/uaNeBz0Ur1A7kdWWlngF1YmttgSIVzidyG7LOLxC50RWW5rhFSQnttoSFF7hcSK7LYPwCoWTtXpJF9N98CCgy+g+eBDQeoa0XlhDKC' +
  'etJ9YQiknLrhuXG9czpPXSGkIxaT2xhtBMWmrduNy4niOtJ9YQiknrjTUEZdJS68b1xvUYaT2xhtBMWl2sISiTlls3Vjeux0jrjTUEZdLqYg1J' +
  'mTTZurG6cb1GWl2sISiT1hdrEMqkydaN143LM9LqYg1JmbS8WINQJl22brhuXJ6R1hdrEMqk5cUahTLRsnXDdcnUuthkQ4m2Y+0aqlkUY9VQya' +
  'IYm4YqFsVYNFSwKMaeoXpFMdZMqMzPsVxphOA2//eE/tte7sNt/u8J/bd1AdcBXI3ZavSUuns=';
const frames = [BEST, FAST].map((text) => Buffer.from(text, 'base64'));

test('frames of the reference compressor', () => {
  for (const frame of frames) assert.equal(unzstd(frame, TEXT.length)?.toString(), TEXT);
});

test('raw and repeated blocks, skippable frames, several frames', () => {
  const raw = Buffer.from('28b52ffd' + '20' + '05' + '290000' + '68656c6c6f', 'hex');
  const repeated = Buffer.from('28b52ffd' + '20' + '07' + '3b0000' + '78', 'hex');
  const skipped = Buffer.from('502a4d18' + '03000000' + '010203', 'hex');
  assert.equal(unzstd(Buffer.concat([raw, skipped, repeated]), 100)?.toString(), 'helloxxxxxxx');
});

test('no more than the limit, nothing cut off', () => {
  for (const frame of frames) {
    assert.equal(unzstd(frame, TEXT.length - 1), undefined);
    for (let length = 1; length < frame.length - 4; length++) assert.equal(unzstd(frame.subarray(0, length), TEXT.length), undefined, String(length));
  }
});

test('any damage gives bytes or none, soon', () => {
  for (const frame of frames) {
    const changes = fc.array(fc.tuple(fc.nat(frame.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(changes, (flips) => {
        const bytes = Buffer.from(frame);
        for (const [at, byte] of flips) bytes[at] = byte;
        assert.ok((unzstd(bytes, 20_000)?.length ?? 0) <= 20_000);
      }),
      { numRuns: 2000 },
    );
  }
});
