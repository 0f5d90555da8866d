using Distill.Storage;

namespace Distill.Data.Tests.Storage;

/// <summary>Whom the text of a lock names: never a stranger that has the same number.</summary>
public sealed class LockHolderTests
{
    [Fact]
    public void This_process_is_recognised_and_no_other_of_its_number()
    {
        var me = LockHolder.Parse(LockHolder.Me.ToString()).ShouldNotBeNull();
        me.ShouldBe(LockHolder.Me);
        me.Process.ShouldBe(Environment.ProcessId);
        me.IsHere.ShouldBeTrue();
        (me with { Machine = "another" }).IsHere.ShouldBeFalse();
        (me with { Begun = me.Begun + 1 }).IsHere.ShouldBeFalse();
        (me with { Process = int.MaxValue }).IsHere.ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("process 12")]
    [InlineData("process 0 on here, begun at 1")]
    [InlineData("process 99999999999 on here, begun at 1")]
    [InlineData("a server, process 12 on here, begun at 1")]
    public void Other_texts_name_nobody(string text) => LockHolder.Parse(text).ShouldBeNull();
}
