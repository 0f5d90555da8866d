using System.Text.Json;
using Distill.Tokenization.Models;

namespace Distill.Tokenization.Files;

/// <summary>Reads the <c>model</c> of a tokenizer.json; only byte-pair encoding is supported.</summary>
internal static class ModelReader
{
    public static BytePairModel Read(JsonElement model)
    {
        // Files older than 0.10 name no type; they are byte-pair models if they have merges.
        string type = model.OptionalText("type") ?? (model.Optional("merges") is null ? "unknown" : "BPE");
        if (type != "BPE") throw new InvalidDataException($"model type '{type}' is not supported; only BPE is");
        foreach (string affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
            if (!string.IsNullOrEmpty(model.OptionalText(affix))) throw new InvalidDataException($"'{affix}' is not supported");
        if (model.Optional("dropout") is { } dropout && (dropout.ValueKind != JsonValueKind.Number || dropout.GetDouble() != 0))
            throw new InvalidDataException("'dropout' makes encodings random and is not supported; set it to null");
        var vocabulary = VocabularyOf(model.Required("vocab"));
        return new BytePairModel(vocabulary, new MergeTable(vocabulary, Merges(model.Required("merges"))), new BytePairOptions(
            model.OptionalText("unk_token"),
            model.Flag("fuse_unk", false),
            model.Flag("byte_fallback", false),
            model.Flag("ignore_merges", false)));
    }

    private static Vocabulary VocabularyOf(JsonElement vocab)
    {
        var ids = new Dictionary<string, int>();
        foreach (var entry in vocab.Members("vocab"))
        {
            string piece = entry.Name;
            int id = entry.Value.Integer("vocab entry");
            if (id < 0 || id >= TokenizerLimits.Tokens)
                throw new InvalidDataException($"token '{piece}' has id {id}; ids are 0 to {TokenizerLimits.Tokens - 1}");
            if (piece.Length > TokenizerLimits.TokenLength) throw new InvalidDataException($"token {id} is {piece.Length} characters long");
            ids.Add(piece, id);
        }
        return new Vocabulary(ids);
    }

    private static List<(string, string)> Merges(JsonElement merges)
    {
        var pairs = new List<(string, string)>();
        foreach (var item in merges.Items("merges"))
        {
            if (pairs.Count >= TokenizerLimits.Tokens) throw new InvalidDataException($"more than {TokenizerLimits.Tokens} merges");
            pairs.Add(item.ValueKind == JsonValueKind.Array ? FromPair(item, pairs.Count) : FromLine(item.Text("merge"), pairs.Count));
        }
        return pairs;
    }

    private static (string, string) FromPair(JsonElement item, int rank) => item.GetArrayLength() == 2
        ? (item[0].Text("merge"), item[1].Text("merge"))
        : throw new InvalidDataException($"merge {rank} must be a pair");

    private static (string, string) FromLine(string line, int rank)
    {
        string[] parts = line.Split(' ');
        return parts.Length == 2
            ? (parts[0], parts[1])
            : throw new InvalidDataException($"merge {rank} '{line}' must be two tokens with one space between");
    }
}
