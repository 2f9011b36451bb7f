@echo off
rem SPDX-License-Identifier: Apache-2.0
rem Vortex without its installer: install.cmd [NAME]
rem Puts it into %ProgramFiles%\Vortex, where only administrators may write, makes the instance NAME
rem (vortex) a service, and gives it a configuration to begin with. Once more, it is an upgrade.
setlocal
set "name=%~1"
if "%name%"=="" set "name=vortex"
set "program=%ProgramFiles%\Vortex"
set "config=%ProgramData%\Vortex\%name%.conf"

if not exist "%program%" mkdir "%program%"
copy /y "%~dp0vortex.exe" "%program%\vortex.exe" >nul
if errorlevel 1 goto refused
"%program%\vortex.exe" service install "%name%"
if errorlevel 1 exit /b 1
if exist "%config%" goto done
copy "%~dp0vortex.conf" "%config%" >nul
if errorlevel 1 goto refused
:done
echo next: edit "%config%", then: sc start %name%
exit /b 0

:refused
echo install.cmd: stop the services of Vortex first, and run this as an administrator, elevated
exit /b 1
