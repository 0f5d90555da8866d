using System.Collections.Frozen;

namespace Distill.Tokenization;

/// <summary>
/// The 256 printable characters that stand for bytes in byte-level vocabularies (Radford et al., GPT-2, `bytes_to_unicode`):
/// printable Latin-1 bytes stand for themselves, the other 68 are shifted to U+0100 and up.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] s_characters = Build();
    private static readonly FrozenDictionary<char, byte> s_bytes =
        Enumerable.Range(0, 256).ToFrozenDictionary(i => s_characters[i], i => (byte)i);

    public static char CharacterOf(byte value) => s_characters[value];

    public static bool TryByteOf(char character, out byte value) => s_bytes.TryGetValue(character, out value);

    private static char[] Build()
    {
        var characters = new char[256];
        int shifted = 0;
        for (int value = 0; value < 256; value++)
            characters[value] = IsPrintable(value) ? (char)value : (char)(256 + shifted++);
        return characters;
    }

    private static bool IsPrintable(int value) => value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
}
