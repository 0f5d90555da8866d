using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Distill.Tokenization;

namespace Distill.Serving;

/// <summary>
/// Tokens as texts by which clients tell them apart: what a token adds to a text it stands within; <c>token_id:N</c> where it is only
/// part of a character or no text at all. Thread-safe.
/// </summary>
internal sealed class TokenSpelling(Tokenizer tokenizer)
{
    private readonly ConcurrentDictionary<int, (string Text, IReadOnlyList<int>? Bytes)> known = new();

    public string Of(int id) => Entry(id).Text;

    /// <summary>UTF-8; null where the token is no whole text.</summary>
    public IReadOnlyList<int>? BytesOf(int id) => Entry(id).Bytes;

    private (string Text, IReadOnlyList<int>? Bytes) Entry(int id) => known.GetOrAdd(id, Spell);

    private (string Text, IReadOnlyList<int>? Bytes) Spell(int id)
    {
        // Some decoders drop a blank at the start of a text; the second of two equal tokens keeps it.
        string text = tokenizer.Decode([id, id])[tokenizer.Decode([id]).Length..];
        return text.Length > 0 && !text.Contains('\uFFFD')
            ? (text, [.. Encoding.UTF8.GetBytes(text).Select(value => (int)value)])
            : (string.Create(CultureInfo.InvariantCulture, $"token_id:{id}"), null);
    }
}
