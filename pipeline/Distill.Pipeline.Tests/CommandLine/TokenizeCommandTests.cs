using System.Text.Json;
using Distill.Tokenization;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary>What <c>distill tokenize</c> shows, against the tokenizer it stands for.</summary>
public sealed class TokenizeCommandTests : IDisposable
{
    private static readonly string s_model = Path.Combine(RepositoryFolder.Root, "teacher", "models", "tiny-reasoner");
    private static readonly ChatEncoder s_encoder = ChatEncoder.Load(s_model);
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_text_becomes_its_ids_pieces_and_back()
    {
        string text = "Tom has 12 apples,\né😀 and <think>.";
        var run = CommandLineRun.Of("tokenize", s_model, folder.File("t.txt", text), "--json");
        run.Code.ShouldBe(0, run.Error);
        int[] ids = Ints(run.Json().GetProperty("ids"));
        ids.ShouldBe(s_encoder.Tokenizer.EncodeWhole(text));
        run.Json().GetProperty("roundTrips").GetBoolean().ShouldBeTrue();
        var tokens = run.Json().GetProperty("tokens").EnumerateArray().ToList();
        string.Concat(tokens.Select(token => token.GetProperty("text").GetString())).ShouldBe(text);
        tokens.Select(token => token.GetProperty("piece").GetString()).ShouldBe(ids.Select(s_encoder.Tokenizer.PieceOf));
        int e = text.IndexOf("and", StringComparison.Ordinal) - 1; // the blank before it, after 2 + 4 bytes that are 1 + 2 characters
        tokens.First(token =>
            token.GetProperty("text").GetString()!.StartsWith(" a", StringComparison.Ordinal) && token.GetProperty("at").GetInt32() > 18)
            .GetProperty("at").GetInt32().ShouldBe(e + 1 + 2);

        var back = CommandLineRun.With(string.Join(",", ids), default, "tokenize", s_model, "--decode", "--json");
        back.Json().GetProperty("text").GetString().ShouldBe(text);
    }

    [Fact]
    public void Control_tokens_in_a_text_are_text_unless_asked_for()
    {
        int mark = s_encoder.Tokenizer.IdOf("<think>")!.Value;
        Ints(CommandLineRun.Of("tokenize", s_model, "--text", "<think>", "--json").Json().GetProperty("ids")).ShouldNotContain(mark);
        var special = CommandLineRun.Of("tokenize", s_model, "--text", "<think>", "--special", "--json").Json();
        Ints(special.GetProperty("ids")).ShouldBe([mark]);
        special.GetProperty("tokens")[0].GetProperty("added").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public void A_table_cannot_command_the_terminal()
    {
        var run = CommandLineRun.Of("tokenize", s_model, "--text", "a\u001b[31m\u202eb\nc");
        run.Code.ShouldBe(0);
        run.Out.ShouldNotContain("\u001b");
        run.Out.ShouldNotContain("\u202e");
        foreach (string word in (string[])[@"\u001b", @"\u202e", "\"\\n\"", "ids: "]) run.Out.ShouldContain(word);
    }

    [Theory]
    [InlineData("""[{"role":"user","content":"What is 2 + 3?"}]""")]
    [InlineData("""{"messages":[{"role":"user","content":"What is 2 + 3?"}]}""")]
    [InlineData("What is 2 + 3?\n")]
    public void A_chat_is_shown_as_the_prompt_that_the_model_reads(string chat)
    {
        int[] prompt = s_encoder.EncodePrompt([ChatMessage.User("What is 2 + 3?")]);
        var run = CommandLineRun.With(chat, default, "tokenize", s_model, "--template", "--json");
        run.Code.ShouldBe(0, run.Error);
        Ints(run.Json().GetProperty("ids")).ShouldBe(prompt);
        string rendered = run.Json().GetProperty("rendered").GetString()!, speak = run.Json().GetProperty("generationPrompt").GetString()!;
        s_encoder.Tokenizer.Encode(rendered, allowSpecial: true).ShouldBe(prompt);

        var without = CommandLineRun.With(chat, default, "tokenize", s_model, "--template", "--no-generation-prompt", "--json").Json();
        (without.GetProperty("rendered").GetString() + speak).ShouldBe(rendered);
        CommandLineRun.With(chat, default, "tokenize", s_model, "--template").Out.ShouldContain(rendered);
    }

    [Fact]
    public void Lines_are_texts_of_their_own()
    {
        var run = CommandLineRun.With("ab\r\n\n7\n", default, "tokenize", s_model, "--lines", "--json");
        run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => Ints(JsonDocument.Parse(line).RootElement.GetProperty("ids")))
            .ShouldBe([s_encoder.Tokenizer.EncodeWhole("ab"), s_encoder.Tokenizer.EncodeWhole(""), s_encoder.Tokenizer.EncodeWhole("7")]);
    }

    [Fact]
    public void A_tokenizer_alone_is_enough()
    {
        File.Copy(Path.Combine(s_model, "tokenizer.json"), Path.Combine(folder.Path, "tokenizer.json"));
        CommandLineRun.Of("tokenize", folder.Path, "--text", "7 + 8").Code.ShouldBe(0);
    }

    [Theory]
    [InlineData(1, "Word 2 of the ids, '7x', is not a token id", "1 7x", "--decode")]
    [InlineData(1, "Id 99999 (number 1) has no token", "99999", "--decode")]
    [InlineData(1, "Message 1 is not an object with a 'role'.", "[\"hello\"]", "--template")]
    [InlineData(1, "The chat has no 'messages'.", "{}", "--template")]
    [InlineData(1, "The chat is not JSON", "[{", "--template")]
    [InlineData(2, "--decode and --template exclude each other.", "", "--decode", "--template")]
    [InlineData(2, "--special does nothing here.", "", "--decode", "--special")]
    [InlineData(2, "--no-generation-prompt does nothing here.", "", "--no-generation-prompt")]
    public void A_mistake_is_named(int code, string message, string input, params string[] options)
    {
        var run = CommandLineRun.With(input, default, ["tokenize", s_model, .. options]);
        run.Code.ShouldBe(code, run.Error);
        run.Error.ShouldContain(message);
        run.Out.ShouldBeEmpty();
    }

    [Fact]
    public void A_file_that_is_not_utf8_is_refused_with_the_place()
    {
        string file = Path.Combine(folder.Path, "latin1.txt");
        File.WriteAllBytes(file, [(byte)'a', (byte)'b', 0xE9, (byte)'c']);
        var run = CommandLineRun.Of("tokenize", s_model, file);
        run.Code.ShouldBe(1);
        run.Error.ShouldContain("is not UTF-8: byte 2");
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];
}
