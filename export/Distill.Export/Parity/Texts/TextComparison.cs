using System.Buffers.Binary;
using System.Security.Cryptography;
using Distill.Storage;
using Distill.Templates;
using Distill.Tokenization;

namespace Distill.Export.Parity.Texts;

/// <summary>A folder's tokenizer and template against those of training, and against what other runtimes make of the folder.</summary>
internal static class TextComparison
{
    private const int MostNamed = 5;

    /// <param name="trained">What the model was trained with.</param>
    /// <param name="exported">What the folder has, in the same style.</param>
    /// <param name="recorded">Digest of the ids that the folder recorded when it was written; null when it has none.</param>
    /// <param name="texts">Beside the spot texts: the problems' own, and prompts as they are rendered.</param>
    public static TextParity Run(
        ChatEncoder trained, ChatEncoder exported, string? recorded, IReadOnlyList<string> texts, IReadOnlyList<IExportedRuntime> runtimes,
        CancellationToken cancellation = default)
    {
        string[] all = [.. SpotTexts.Plain, .. SpotTexts.WithControl(trained.Tokenizer), .. texts];
        var differences = new List<string>();
        if (trained.Tokenizer.Fingerprint != exported.Tokenizer.Fingerprint) differences.Add("the folder has another tokenizer");
        if (trained.HasTemplate != exported.HasTemplate) differences.Add("one of the two has no chat template");
        else if (trained.HasTemplate && trained.Template.Digest != exported.Template.Digest)
            differences.Add("the folder has another chat template");
        if (recorded is not null && recorded != DigestOf(exported))
            differences.Add("the folder's tokenizer and template no longer give the ids that distill.json recorded when it was exported");
        differences.AddRange(all.Where(text => !Same(trained.Tokenizer, exported.Tokenizer, text)).Take(MostNamed)
            .Select(text => $"{Printable.Quote(text)} becomes other ids"));
        var chats = trained.HasTemplate && exported.HasTemplate ? SpotTexts.Chats : [];
        differences.AddRange(chats.Where(chat => !Prompt(trained, chat).SequenceEqual(Prompt(exported, chat))).Take(MostNamed)
            .Select(chat => $"the chat that ends with {Printable.Quote(chat[^1].Content)} becomes other ids"));
        RuntimeTexts[] others = [.. runtimes
            .Select(runtime => OfRuntime(runtime, exported, all, texts.Count, cancellation)).OfType<RuntimeTexts>()];
        return new(all.Length, chats.Count, differences, others.Length == 0 ? null : others);
    }

    /// <summary>
    /// SHA-256 (hex) over the ids of every spot text and chat, as this tokenizer and template give them; the chats as they are,
    /// whatever the encoder's style.
    /// </summary>
    public static string DigestOf(ChatEncoder encoder)
    {
        encoder = encoder.With(PromptStyle.Plain);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string text in SpotTexts.Plain.Concat(SpotTexts.WithControl(encoder.Tokenizer)))
        {
            Append(hash, encoder.Tokenizer.Encode(text));
            Append(hash, encoder.Tokenizer.Encode(text, allowSpecial: true));
        }

        foreach (var chat in encoder.HasTemplate ? SpotTexts.Chats : []) Append(hash, Prompt(encoder, chat));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, int[] ids)
    {
        byte[] bytes = new byte[sizeof(int) * (ids.Length + 1)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, ids.Length); // so that ids cannot move from one text to the next
        for (int i = 0; i < ids.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(sizeof(int) * (i + 1)), ids[i]);
        hash.AppendData(bytes);
    }

    // Some templates refuse chats (a system message, say): both must refuse.
    private static int[] Prompt(ChatEncoder encoder, IReadOnlyList<ChatMessage> chat)
    {
        try
        {
            return encoder.EncodePrompt(chat);
        }
        catch (TemplateException)
        {
            return [-1];
        }
    }

    private static bool Same(Tokenizer one, Tokenizer other, string text) =>
        one.Encode(text).SequenceEqual(other.Encode(text))
        && one.Encode(text, allowSpecial: true).SequenceEqual(other.Encode(text, allowSpecial: true));

    private static RuntimeTexts? OfRuntime(
        IExportedRuntime runtime, ChatEncoder encoder, IReadOnlyList<string> texts, int last, CancellationToken cancellation)
    {
        // A known difference excuses what it speaks of and not what stands beside it: the same text without it is read as well.
        string[] asked =
        [
            .. texts,
            .. texts.Select(KnownDifferences.WithoutOtherDigits).Where(text => text.Length > 0).Except(texts, StringComparer.Ordinal),
        ];
        IReadOnlyList<IReadOnlyList<int>>? ids;
        try
        {
            ids = runtime.Encode(asked, cancellation);
        }
        catch (IOException e) when (e.InnerException is TimeoutException)
        {
            return new(runtime.Name, 0, [], [], 0) { NotRun = e.Message };
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return new(runtime.Name, 0, [], [e.Message], Math.Max(1, last));
        }

        if (ids is null) return null;
        bool IsRight(string text) => text.Length == 0
            || ids[Array.IndexOf(asked, text)].SequenceEqual(encoder.Tokenizer.Encode(text, allowSpecial: true));
        int problems = 0;
        var unknown = new List<string>();
        var known = new SortedSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < texts.Count; i++)
        {
            int[] expected = encoder.Tokenizer.Encode(texts[i], allowSpecial: true);
            if (ids[i].SequenceEqual(expected)) continue;
            if (KnownDifferences.ReasonFor(runtime.Name, texts[i], encoder.Tokenizer, ids[i], IsRight) is { } reason)
            {
                known.Add(reason);
                continue;
            }

            string fault = $"{Printable.Quote(texts[i])} becomes [{Ids(ids[i])}] and in training [{Ids(expected)}]";
            if (i < texts.Count - last) unknown.Add(fault);
            else unknown.Insert(problems++, fault);
        }

        return new(runtime.Name, texts.Count, [.. known], [.. unknown.Take(MostNamed)], problems);
    }

    private static string Ids(IReadOnlyList<int> ids) => string.Join(", ", ids.Take(8)) + (ids.Count > 8 ? ", …" : "");
}
