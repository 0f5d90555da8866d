using CsCheck;
using Distill.Client;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;
using Distill.Tokenization;

namespace Distill.Teacher.Tests.Generation;

/// <summary>
/// Text and stop strings through the engine; a token of this tokenizer is a byte, so characters and stop strings span tokens.
/// </summary>
public sealed class TextOutputTests
{
    private static readonly Tokenizer Tokenizer = TinyTokenizer.Tokenizer;

    [Fact]
    public void A_stop_string_ends_a_completion_across_token_borders()
    {
        var completion = Say("one é two\n\nQ: three", ["\n\nQ"]);
        (completion.Text, completion.StopString, completion.StopReason).ShouldBe(("one é two", "\n\nQ", StopReason.StopString));
        Tokenizer.Decode([.. completion.Tokens]).ShouldBe("one é two\n\nQ");
    }

    [Fact]
    public void What_was_held_back_comes_when_the_completion_ends_otherwise()
    {
        var stopped = Say("ends with ST<|end|>", ["STOP"]);
        (stopped.Text, stopped.StopString, stopped.StopReason).ShouldBe(("ends with ST", null, StopReason.StopToken));
        var cut = Say("é", [], limit: 1); // half a character
        (cut.Text, cut.StopReason).ShouldBe(("\uFFFD", StopReason.Length));
        Say("ab ST", ["STOP"], limit: 5).Text.ShouldBe("ab ST");
    }

    [Fact]
    public void The_pieces_shown_are_the_text() => Gen.Select(Gen.String[Gen.Char["aé€ S"], 1, 12], Gen.Int[1, 20]).Sample((text, limit) =>
    {
        using var model = Model(text + "<|end|>");
        using var engine = new GenerationEngine(model);
        string shown = "";
        Completion? completion = null;
        foreach (var happened in engine.Stream(Request(["SS", "aSa"], limit)).ToBlockingEnumerable())
        {
            if (happened is TokenGenerated token) shown += token.Text;
            else completion = ((CompletionEnded)happened).Completion;
        }

        completion!.Text.ShouldBe(shown);
        if (completion.StopReason == StopReason.StopToken) shown.ShouldBe(text);
        if (completion.StopReason == StopReason.StopString) text.ShouldStartWith(shown + completion.StopString);
    }, iter: 200, threads: 1);

    [Theory]
    [InlineData("<think>a STOP b</think>one STOP two<|end|>", "<think>a STOP b</think>one ", "STOP", "a STOP b", "one ")]
    [InlineData( // a mark parts what is beside it
        "ST<think>OP</think>ST<think>x</think>OP<|end|>", "ST<think>OP</think>ST<think>x</think>OP", null, "OPx", "STSTOP")]
    [InlineData("<think>STOP", "<think>STOP", null, "STOP", "")]
    [InlineData("one STOP<think>", "one ", "STOP", "", "one ")]
    public void Stop_strings_can_be_those_of_the_answer_alone(string said, string text, string? stop, string reasoning, string answer)
    {
        var completion = Say(said, ["STOP"], limit: TinyTokenizer.Tokens(said).Length, stopsInReasoning: false);
        (completion.Text, completion.StopString).ShouldBe((text, stop));
        var reply = new ReplyText(Tokenizer, [0], _ => { }, ["STOP"], stopsInReasoning: false);
        foreach (int token in completion.Tokens.Where(token => token != TinyTokenizer.Encoder.EndToken)) reply.Push(token);
        reply.End();
        (reply.Reasoning, reply.Answer).ShouldBe((reasoning, answer));
    }

    [Fact]
    public void Tokens_of_the_reasoning_are_counted_with_its_marks()
    {
        Count("<think>ab</think>cd").ShouldBe(4);
        Count("cd").ShouldBe(0);
        Count("ab</think>cd", prompt: TinyTokenizer.Open).ShouldBe(3);

        static int Count(string said, int prompt = 0)
        {
            var reply = new ReplyText(Tokenizer, [prompt], _ => { });
            foreach (int token in TinyTokenizer.Tokens(said)) reply.Push(token);
            return reply.ReasoningTokens;
        }
    }

    private static Completion Say(string text, string[] stops, int limit = 100, bool stopsInReasoning = true)
    {
        using var model = Model(text);
        return new BatchGenerator(model).Complete([Request(stops, limit, stopsInReasoning)])[0][0];
    }

    private static GenerationRequest Request(string[] stops, int limit, bool stopsInReasoning = true) => new()
    {
        Prompt = [0], MaxNewTokens = limit, Seeds = [0], StopTokens = [TinyTokenizer.Encoder.EndToken],
        Text = new TextOutput(Tokenizer, stops) { StopsInReasoning = stopsInReasoning },
    };

    private static ScriptedTokenModel Model(string text)
    {
        int[] tokens = TinyTokenizer.Tokens(text);
        return new ScriptedTokenModel(Tokenizer.VocabularySize, 200, (sequence, logits) =>
        {
            logits.Clear();
            logits[tokens[(sequence.Length - 1) % tokens.Length]] = 9;
        });
    }
}
